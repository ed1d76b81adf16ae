// Light and dark, and a phone's width.
import { expect, test } from "../support/test.ts";

test("the theme follows the system, and a choice overrides it and is remembered", async ({ start, page }) => {
  const ottla = await start();
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await page.emulateMedia({ colorScheme: "light" });
  await page.goto(ottla.url);
  await expect(page.locator("html[data-hydrated]")).toBeAttached();
  const light = await background();
  await page.emulateMedia({ colorScheme: "dark" });
  const dark = await background();
  expect(dark).not.toBe(light);

  await page.locator("select[name=theme]").selectOption("light");
  await expect.poll(background).toBe(light);
  await page.reload();
  expect(await background()).toBe(light);
  await expect(page.locator("html")).toHaveAttribute("data-theme", "light");
});

test("Chinese is chosen by the browser's language, or by hand", async ({ start, browser }) => {
  const ottla = await start();
  for (const [locale, lang] of [
    ["zh-TW", "zh-Hant"],
    ["zh-CN", "zh-Hans"],
    ["de-DE", "en"],
  ] as const) {
    const context = await browser.newContext({ locale });
    const page = await context.newPage();
    await page.goto(ottla.url);
    await expect(page.locator("html"), locale).toHaveAttribute("lang", lang);
    await context.close();
  }
});

test("nothing scrolls sideways at 390 pixels", async ({ start, page, topic }) => {
  const ottla = await start();
  const { partition, offset } = await ottla.produce(topic, `{"long":"${"a long value ".repeat(40)}"}`, { key: "key".repeat(30) });
  await page.setViewportSize({ width: 390, height: 844 });
  for (const path of ["/", "/produce", "/topics", `/topics/${topic}/${partition}/${offset}`]) {
    await page.goto(ottla.url + path);
    await expect(page.locator("html[data-hydrated]")).toBeAttached();
    const { scroll, client } = await page.evaluate(() => ({
      scroll: document.documentElement.scrollWidth,
      client: document.documentElement.clientWidth,
    }));
    expect(scroll, path).toBeLessThanOrEqual(client);
  }
});

test("a phone sends and reads too", async ({ start, page, topic }) => {
  const ottla = await start();
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto(ottla.url);
  await expect(page.locator(".conn")).toHaveAttribute("data-state", "live");
  await page.locator("section.composer textarea").fill("from a phone");
  await page.locator("section.composer").getByRole("button", { name: /send/i }).click();
  await expect(page.locator(`[role=row][data-place^="${topic}["]`)).toContainText("from a phone");
});
