// Looking through a topic: pages, a record beside the list, a search that goes on, files.
import { readFile } from "node:fs/promises";
import type { Page } from "@playwright/test";
import { consoleProduce } from "../support/kafka.ts";
import { expect, test } from "../support/test.ts";

const rows = (page: Page) => page.locator("#messages [role=row][data-place]");
const places = (page: Page) => rows(page).evaluateAll((rows) => rows.map((row) => (row as HTMLElement).dataset.place ?? ""));
const progress = (page: Page) => page.locator("#search-progress .num");

/// How many messages a search has passed over.
const scanned = async (page: Page) => Number(/Scanned ([\d,]+)/.exec(await progress(page).innerText())?.[1]?.replaceAll(",", ""));

async function open(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await expect(page.locator("html[data-hydrated]")).toBeAttached();
}

test("pages lead back and forth, and a record opens beside the list", async ({ start, page, topic }) => {
  const ottla = await start();
  await ottla.produceMany(topic, '{"orderId":"o-1","total":1280}', 120);
  await open(page, `${ottla.url}/topics/${topic}`);
  await expect(rows(page)).toHaveCount(50, { timeout: 20_000 });
  const first = await places(page);
  await page.getByRole("link", { name: "Older" }).click();
  await expect.poll(() => places(page)).not.toEqual(first);
  await expect(rows(page)).toHaveCount(50);
  const second = await places(page);
  expect(first.filter((place) => second.includes(place))).toEqual([]);
  await page.getByRole("link", { name: "Newer" }).click();
  await expect.poll(() => places(page)).toEqual(first);

  // By keyboard: a row is a link.
  await rows(page).nth(2).getByRole("link").focus();
  await page.keyboard.press("Enter");
  const drawer = page.locator("#open");
  await expect(drawer).toContainText("1280");
  await expect(rows(page)).toHaveCount(50);
  await expect(page.locator("[aria-current=true][data-place]")).toHaveAttribute("data-place", first[2] ?? "");
  await drawer.getByRole("link", { name: "Close" }).click();
  await expect(drawer).toHaveCount(0);
  // Closing leads to another page.
  await expect(page.locator("html[data-hydrated]")).toBeAttached();
  await page.keyboard.press("/");
  await expect(page.getByRole("main").getByRole("searchbox")).toBeFocused();
});

test("a search says how far it is, is stopped, goes on, and its finds are a file", async ({ start, page, topic }) => {
  test.setTimeout(150_000);
  const ottla = await start();
  const count = 400_000;
  const lines = Array.from({ length: count }, (_, n) => `h:1\tk${n}\t${n === 5 ? "needle" : "hay ".repeat(10)}`);
  await consoleProduce(topic, lines);
  // An expression takes its time for each message.
  const query = new URLSearchParams({ filter: "where:value == 'needle'" });
  await open(page, `${ottla.url}/topics/${topic}?${query}`);
  await expect(progress(page)).toContainText("of 400,000", { timeout: 20_000 });

  await page.getByRole("link", { name: "Cancel" }).click();
  await expect(page.getByText("Stopped.")).toBeVisible();
  // The page looks once a second whether it is to stop.
  await page.waitForTimeout(2_000);
  const stopped = await scanned(page);
  await page.waitForTimeout(2_000);
  expect(await scanned(page)).toBe(stopped);
  expect(stopped).toBeLessThan(count);

  await page.getByRole("link", { name: "Go on" }).click();
  await expect(rows(page)).toHaveCount(1, { timeout: 60_000 });
  await expect(page.locator("#records-pager")).toContainText("Scanned 400,000 of 400,000", { timeout: 60_000 });
  expect(stopped).toBeGreaterThan(0);
  await expect(page.locator("#search a:visible")).toHaveCount(0);

  const [download] = await Promise.all([page.waitForEvent("download", { timeout: 60_000 }), page.getByRole("link", { name: "JSON Lines" }).click()]);
  const file = (await readFile(await download.path(), "utf8")).trim().split("\n");
  expect(file.map((line) => (JSON.parse(line) as { value: { text: string } }).value.text)).toEqual(["needle"]);
});

test("without JavaScript a search goes on by its link", async ({ start, browser, topic }) => {
  const ottla = await start();
  await ottla.produceMany(topic, "counted", 60);
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(`${ottla.url}/topics/${topic}`);
  await page.getByRole("radio", { name: "Oldest" }).check();
  await page.getByRole("main").getByRole("searchbox").fill("counted");
  await page.getByRole("button", { name: "Show" }).click();
  // Where 300 ms are not enough, there is a link that takes its time.
  const on = page.getByRole("link", { name: "Go on" });
  if (await on.isVisible()) await on.click();
  await expect(rows(page)).toHaveCount(50);
  await expect(page.getByRole("link", { name: "Cancel" })).toBeHidden();
  await page.getByRole("link", { name: "Newer" }).click();
  await expect(rows(page).first()).toBeVisible();
  await context.close();
});
