// The page without JavaScript, and with WebAssembly that does not load: it reads, it sends, it says what is wrong.
import type { Page } from "@playwright/test";
import { place } from "../support/ottla.ts";
import { expect, test } from "../support/test.ts";

/// Reads and sends by plain HTML alone.
async function readsAndSends(page: Page, url: string, topic: string, present: string) {
  await page.goto(url);
  await expect(page.locator(`[role=row][data-place="${present}"]`)).toBeVisible();
  await expect(page.getByRole("link", { name: "Reload" })).toBeVisible();

  // From the feed's composer: back on the feed, with the receipt.
  const composer = page.locator("section.composer");
  await composer.locator("[name=value]").fill("by plain form");
  await composer.getByRole("button", { name: /send/i }).click();
  await page.waitForURL((url) => url.searchParams.has("offset"));
  const { searchParams: receipt, pathname } = new URL(page.url());
  expect(pathname).toBe("/");
  const sent = `${receipt.get("topic")}[${receipt.get("partition")}]@${receipt.get("offset")}`;
  await expect(page.locator(`[data-receipt="${sent}"]`)).toBeVisible();
  await expect(async () => {
    await page.reload();
    await expect(page.locator(`[role=row][data-place="${sent}"]`)).toContainText("by plain form", { timeout: 1_000 });
  }).toPass();

  // From the produce page: an error keeps what was typed, then it goes through.
  await page.goto(`${url}/produce`);
  const form = page.getByRole("main").locator("form").first();
  await form.locator("[name=topic]").fill(topic);
  await form.locator("[name=partition]").fill("99");
  await form.locator("[name=value]").fill("typed with care");
  const [refused] = await Promise.all([
    page.waitForResponse((response) => response.request().method() === "POST"),
    form.getByRole("button", { name: /send/i }).click(),
  ]);
  expect(refused.status()).toBe(422);
  await expect(form.locator("[name=value]")).toHaveValue("typed with care");
  await expect(form.locator("[name=partition]")).toHaveAttribute("aria-invalid", "true");
  await form.locator("[name=partition]").fill("1");
  await form.getByRole("button", { name: /send/i }).click();
  await page.waitForURL((url) => url.searchParams.get("partition") === "1");
  const there = new URL(page.url()).searchParams;
  await expect(page.locator(`[data-receipt="${place({ topic, partition: 1, offset: there.get("offset") ?? "" })}"]`)).toBeVisible();
}

test("without JavaScript", async ({ start, browser, topic }) => {
  const ottla = await start();
  const present = place(await ottla.produce(topic, "already there"));
  const context = await browser.newContext({ javaScriptEnabled: false });
  await readsAndSends(await context.newPage(), ottla.url, topic, present);
  await context.close();
});

test("when the WebAssembly does not load", async ({ start, browser, topic }) => {
  const ottla = await start();
  const present = place(await ottla.produce(topic, "already there"));
  const context = await browser.newContext();
  await context.route("**/*.wasm", (route) => route.abort());
  await readsAndSends(await context.newPage(), ottla.url, topic, present);
  await context.close();
});

test("theme and language are chosen by a form, and remembered", async ({ start, browser }) => {
  const ottla = await start();
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(`${ottla.url}/produce`);
  await page.locator("select[name=theme]").selectOption("dark");
  await page.locator("select[name=lang]").selectOption("zh-Hant");
  await page.locator(".choices button").click();
  await expect(page).toHaveURL(/\/produce$/);
  for (const path of ["/produce", "/"]) {
    await page.goto(ottla.url + path);
    await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
    await expect(page.locator("html")).toHaveAttribute("lang", "zh-Hant");
  }
  await context.close();
});
