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

test("another language keeps what the address asks for, also what was typed since", async ({ start, page }) => {
  const ottla = await start();
  await page.goto(`${ottla.url}/?feed=default&filter=apple`);
  await expect(page.locator("html[data-hydrated]")).toBeAttached();
  await page.locator("select[name=lang]").selectOption("zh-Hant");
  await expect(page.locator("html")).toHaveAttribute("lang", "zh-Hant");
  await expect(page).toHaveURL(`${ottla.url}/?feed=default&filter=apple`);
  await expect(page.getByRole("searchbox")).toHaveValue("apple");
  await expect(page.locator("html[data-hydrated]")).toBeAttached();
  await page.getByRole("searchbox").fill("ripe pear");
  await expect(page).toHaveURL(/filter=ripe%20pear$/);
  await page.locator("select[name=lang]").selectOption("en");
  await expect(page.locator("html")).toHaveAttribute("lang", "en");
  await expect(page).toHaveURL(`${ottla.url}/?feed=default&filter=ripe%20pear`);
  await expect(page.getByRole("searchbox")).toHaveValue("ripe pear");
});

test("a narrow window has every tool, and says in words how the connection is", async ({ start, page }) => {
  const ottla = await start();
  const word = page.locator("#connection .word");
  const width = (of: typeof word) => of.evaluate((element) => element.getBoundingClientRect().width);
  const tools = ["Clear", "Taller rows", "Download these rows"].map((name) => page.getByRole("button", { name, exact: true }));
  tools.push(page.getByRole("combobox", { name: "Partition" }));
  const keys = page.getByRole("button", { name: "Keyboard shortcuts" });
  // 1280 pixels at 200 %, and a phone.
  for (const size of [640, 390]) {
    await page.setViewportSize({ width: size, height: 844 });
    await page.goto(ottla.url);
    await expect(page.locator("#connection")).toHaveAttribute("data-state", "live");
    await expect(page.locator("#connection .num")).toBeVisible();
    for (const tool of tools) await expect(tool).toBeHidden();
    await expect(keys).toHaveCount(size === 640 ? 1 : 0);
    await page.getByRole("checkbox", { name: "More tools" }).focus();
    await page.keyboard.press("Space");
    for (const tool of tools) await expect(tool).toBeInViewport({ ratio: 1 });
    await expect(keys).toBeInViewport({ ratio: 1 });
    await expect(word).toHaveText("Live");
    if (size === 640) expect(await width(word)).toBeGreaterThan(15);
  }
  // On the phone the word is only read out while all is well.
  expect(await width(word)).toBeLessThanOrEqual(1);
  await ottla.stop();
  await expect(word).toHaveText("Reconnecting");
  await expect.poll(() => width(word)).toBeGreaterThan(40);
});

test("pausing moves nothing, however wide the window is", async ({ start, page }) => {
  const ottla = await start();
  await page.goto(ottla.url);
  await expect(page.locator("#connection")).toHaveAttribute("data-state", "live");
  const pause = page.locator("#pause");
  const top = async () => (await page.locator("#rows").boundingBox())?.y;
  for (const width of [360, 390, 640, 768, 1024, 1440]) {
    await page.setViewportSize({ width, height: 844 });
    const before = await top();
    await pause.click();
    await expect(pause).toHaveAttribute("aria-pressed", "true");
    await expect(pause).toHaveAccessibleName("Resume");
    expect(await top(), `${width} pixels`).toBe(before);
    await pause.click();
    await expect(pause).toHaveAttribute("aria-pressed", "false");
  }
});

test("the API's page is in the reader's theme", async ({ start, page }) => {
  const ottla = await start();
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const [light, dark] = ["rgb(250, 250, 250)", "rgb(22, 25, 29)"];
  await page.emulateMedia({ colorScheme: "dark" });
  await page.goto(`${ottla.url}/api/docs/`);
  await expect.poll(background).toBe(dark);
  await page.emulateMedia({ colorScheme: "light" });
  await expect.poll(background).toBe(light);
  await page.goto(`${ottla.url}/preferences?theme=dark&back=/api/docs/`);
  await expect.poll(background).toBe(dark);
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
