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
  // The keyboard is in the drawer, walks the list from there, and leaves it.
  const title = drawer.getByRole("heading").first();
  await expect(title).toBeFocused();
  await expect(title).toHaveText(first[2] ?? "");
  for (const [key, place] of [["j", first[3]], ["k", first[2]]] as const) {
    await expect(page.locator("html[data-hydrated]")).toBeAttached();
    await page.keyboard.press(key);
    await expect(title).toHaveText(place ?? "");
    await expect(title).toBeFocused();
  }
  await expect(page.locator("html[data-hydrated]")).toBeAttached();
  await page.keyboard.press("Escape");
  await expect(drawer).toHaveCount(0);
  await rows(page).nth(2).getByRole("link").click();
  // What was read from the log was not received just now.
  await expect(drawer).toContainText("Created");
  await expect(drawer).not.toContainText("Received");
  await expect(rows(page)).toHaveCount(50);
  await expect(page.locator("[aria-current=true][data-place]")).toHaveAttribute("data-place", first[2] ?? "");
  // From one message to the next, by links.
  await drawer.getByRole("link", { name: "Older message" }).click();
  await expect(page.locator("[aria-current=true][data-place]")).toHaveAttribute("data-place", first[3] ?? "");
  await drawer.getByRole("link", { name: "Newer message" }).click();
  await expect(page.locator("[aria-current=true][data-place]")).toHaveAttribute("data-place", first[2] ?? "");
  await drawer.getByRole("link", { name: "Close" }).click();
  await expect(drawer).toHaveCount(0);
  // Closing leads to another page.
  await expect(page.locator("html[data-hydrated]")).toBeAttached();
  await page.keyboard.press("/");
  await expect(page.getByRole("main").getByRole("searchbox")).toBeFocused();
});

/// An expression that takes most of a millisecond for each of these messages: what it looks for stands in none but `needle`.
const costly = `where:value.exists(x, x == 2 ${"|| x == 3 ".repeat(60)})`;
const hay = `[${Array(80).fill(1).join(",")}]`;
const needle = `[2${",1".repeat(79)}]`;

test("a search says how far it is, is stopped, goes on, and its finds are a file", async ({ start, page, topic }) => {
  test.setTimeout(150_000);
  const ottla = await start();
  const count = 10_000;
  await consoleProduce(topic, Array.from({ length: count }, (_, n) => `h:1\tk${n}\t${n === 5 ? needle : hay}`));
  const stream = page.waitForRequest((request) => request.url().includes(`/topics/${topic}/live`));
  await open(page, `${ottla.url}/topics/${topic}?${new URLSearchParams({ filter: costly })}`);
  await expect(progress(page)).toContainText("of 10,000", { timeout: 20_000 });

  await page.getByRole("link", { name: "Cancel" }).click();
  await expect(page.getByText("Stopped.")).toBeVisible();
  // The page looks once a second whether it is to stop: then it closes the stream, and nothing comes any more.
  const closed = await stream;
  await expect.poll(() => closed.failure()?.errorText, { timeout: 10_000 }).toBeTruthy();
  const stopped = await scanned(page);
  expect(stopped).toBeLessThan(count);

  await page.getByRole("link", { name: "Go on" }).click();
  await expect(rows(page)).toHaveCount(1, { timeout: 90_000 });
  await expect(page.locator("#records-pager")).toContainText("Scanned 10,000 of 10,000", { timeout: 90_000 });
  expect(stopped).toBeGreaterThan(0);
  await expect(page.locator("#search a:visible")).toHaveCount(0);

  // A find opens beside the search, in a tab of its own, and nothing is looked through again.
  const [place = ""] = await places(page);
  const [opened] = await Promise.all([page.waitForEvent("popup"), rows(page).getByRole("link").click()]);
  await expect(opened.getByRole("main")).toContainText(place);
  await expect(rows(page)).toHaveCount(1);
  await opened.close();

  const [download] = await Promise.all([page.waitForEvent("download", { timeout: 60_000 }), page.getByRole("link", { name: "JSON Lines" }).click()]);
  const file = (await readFile(await download.path(), "utf8")).trim().split("\n");
  expect(file.map((line) => (JSON.parse(line) as { value: { text: string } }).value.text)).toEqual([needle]);
});

test("without JavaScript a search goes on by its link", async ({ start, browser, topic }) => {
  const ottla = await start();
  await consoleProduce(topic, Array.from({ length: 1_000 }, (_, n) => `h:1\tk${n}\t${n === 5 ? needle : hay}`));
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(`${ottla.url}/topics/${topic}`);
  await page.getByRole("radio", { name: "Oldest" }).check();
  await page.getByRole("main").getByRole("searchbox").fill(costly);
  await page.getByRole("button", { name: "Show" }).click();
  // 300 ms are not enough, and five seconds may be too few on a slow machine.
  const on = page.getByRole("link", { name: "Go on" });
  await expect(on).toBeVisible();
  await expect(page.getByRole("link", { name: "Cancel" })).toBeHidden();
  while (await on.isVisible()) await on.click();
  await expect(page.locator("#records-pager")).toContainText("Scanned 1,000 of 1,000");
  await context.close();
});
