// The groups' pages: what they show, and that the server keeps them live.
import type { Page } from "@playwright/test";
import { place } from "../support/ottla.ts";
import { hide } from "../support/page.ts";
import { expect, test } from "../support/test.ts";

/// Opens a page that the server keeps live, and waits until it does.
async function openLive(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await expect(page.locator("html[data-hydrated]")).toBeAttached();
  await isLive(page);
}

async function isLive(page: Page): Promise<void> {
  await expect(page.locator("#stream")).toHaveAttribute("data-state", "live", { timeout: 20_000 });
}

/// A member's column on the board.
const column = (page: Page, name: string) => page.locator("#group-board").getByRole("region", { name, exact: true });

test("a group's page shows members, partitions and lag, and the list leads to it", async ({ start, page, topic }) => {
  const ottla = await start();
  await ottla.produceMany(topic, "counted", 9);
  await openLive(page, `${ottla.url}/groups`);
  const row = page.getByRole("row").filter({ hasText: `g-${topic}` });
  await expect(row).toContainText("this instance");
  await expect(row).toContainText("stable");
  await row.getByRole("link").click();

  await expect(page.getByRole("heading", { level: 1 })).toHaveText(`g-${topic}`);
  await isLive(page);
  await expect(column(page, "ottla-1").locator(".inst.own")).toHaveText("ottla-1");
  await expect(column(page, "ottla-1").locator(".tile")).toHaveCount(3);
  await expect(column(page, "ottla-1")).toContainText("3 of 3 partitions");
  const lag = page.getByRole("region", { name: "Lag" });
  await expect(lag.getByRole("row").filter({ hasText: `${topic}[` })).toHaveCount(3);
  // All that was produced is committed in the end: 3 partitions that have caught up, which the box hides.
  await expect(lag.locator("tr.level")).toHaveCount(3);
  await page.getByRole("checkbox", { name: "Only behind" }).check();
  await expect(lag.locator("tr.level").first()).toBeHidden();
  await expect(lag.getByText("Nothing is behind.")).toBeVisible();
  await page.getByRole("link", { name: "Groups" }).last().click();
  await expect(page).toHaveURL(`${ottla.url}/groups`);
});

test("tiles move without a reload when a second instance joins, and back when it is gone", async ({ start, page, topic }) => {
  const one = await start();
  await openLive(page, `${one.url}/groups/g-${topic}`);
  await expect(column(page, "ottla-1").locator(".tile")).toHaveCount(3);
  await page.evaluate(() => Object.assign(window, { sameDocument: true }));

  const two = await start();
  await expect.poll(() => column(page, "ottla-1").locator(".tile").count(), { timeout: 20_000 }).toBeLessThan(3);
  await expect(column(page, "ottla-2").locator(".tile").first()).toBeVisible();
  await expect(page.locator("#group-board .tile")).toHaveCount(3);
  await two.stop();
  await expect(column(page, "ottla-1").locator(".tile")).toHaveCount(3, { timeout: 20_000 });
  expect(await page.evaluate(() => "sameDocument" in window)).toBe(true);
});

test("text that is selected stays while a number changes, and the number comes when it is let go", async ({ start, page, topic }) => {
  const ottla = await start();
  await openLive(page, `${ottla.url}/groups/g-${topic}`);
  const offsets = page.locator("#group-lag tbody tr");
  await expect(offsets).toHaveCount(3);
  await page.locator("#group-lag tbody th").first().selectText();
  const selected = await page.evaluate(() => String(getSelection()));
  const sent = place(await ottla.produce(topic, "while selected", { partition: 2 }));
  const committed = page.locator("#group-lag tbody tr").filter({ hasText: sent.split("@")[0] }).locator("td").first();
  await expect(page.locator("#group-lag")).toHaveAttribute("data-next", /./);
  expect(await page.evaluate(() => String(getSelection()))).toBe(selected);
  await page.evaluate(() => getSelection()?.removeAllRanges());
  await expect(committed).toHaveText("1");
  await expect(page.locator("#group-lag")).not.toHaveAttribute("data-next");
});

test("a link that has the focus keeps it while its list changes", async ({ start, page, topic }) => {
  const one = await start();
  await openLive(page, `${one.url}/groups`);
  const row = page.getByRole("row").filter({ hasText: `g-${topic}` });
  await expect(row.locator("td").nth(2)).toHaveText("1");
  await row.getByRole("link").focus();
  await start();
  await expect(row.locator("td").nth(2)).toHaveText("2", { timeout: 20_000 });
  await expect(row.getByRole("link")).toBeFocused();
});

test("times are the browser's, also in what comes later", async ({ start, page, topic }) => {
  const one = await start();
  await openLive(page, `${one.url}/groups/g-${topic}`);
  await start();
  const time = page.locator("#group-history time").first();
  await expect(time).toBeVisible({ timeout: 20_000 });
  const datetime = (await time.getAttribute("datetime")) ?? "";
  // Playwright's browser is in Berlin.
  const local = new Date(datetime).toLocaleTimeString("en-GB", { timeZone: "Europe/Berlin" });
  await expect(time).toHaveText(new RegExp(`^${local}`));
});

test("the page comes back by itself after its instance restarts", async ({ start, page, topic }) => {
  const ottla = await start();
  await openLive(page, `${ottla.url}/groups/g-${topic}`);
  const restarted = ottla.restart();
  await expect(page.locator("#stream")).toHaveAttribute("data-state", "lost", { timeout: 20_000 });
  await expect(page.locator("#stream")).toContainText("Reconnecting");
  await restarted;
  await isLive(page);
  await expect(column(page, "ottla-1").locator(".tile")).toHaveCount(3);
});

test("a tab that nobody sees gives its connection back", async ({ start, page, topic }) => {
  const ottla = await start();
  await openLive(page, `${ottla.url}/groups/g-${topic}`);
  const [hidden] = await Promise.all([
    page.waitForEvent("requestfailed", (request) => request.url().endsWith("/live")),
    hide(page, true),
  ]);
  expect(hidden.url()).toContain(`/groups/g-${topic}/live`);
  await Promise.all([
    page.waitForRequest((request) => request.url().endsWith("/live")),
    hide(page, false),
  ]);
  await isLive(page);
});

test("without JavaScript", async ({ start, browser, topic }) => {
  const ottla = await start();
  for (const partition of [0, 1, 2]) await ottla.produce(topic, "counted", { partition });
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(`${ottla.url}/groups`);
  await page.getByRole("link", { name: `g-${topic}` }).click();
  await expect(async () => {
    await page.reload();
    await expect(column(page, "ottla-1").locator(".tile")).toHaveCount(3, { timeout: 1_000 });
  }).toPass();
  await expect(page.locator("#stream")).toBeHidden();
  await expect(page.getByText("Live updates need JavaScript.")).toBeVisible();
  await page.getByRole("link", { name: "Reload" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(`g-${topic}`);
  // A form that is refused leaves the address that it was posted to, where nothing can be read.
  await page.locator("#change-delete summary").click();
  await page.locator("#change-delete").getByLabel("The group's name again").fill("another");
  await page.locator("#change-delete").getByRole("button").click();
  await expect(page).toHaveURL(`${ottla.url}/groups/g-${topic}/delete`);
  await page.getByRole("link", { name: "Reload" }).click();
  await expect(page).toHaveURL(`${ottla.url}/groups/g-${topic}`);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(`g-${topic}`);
  await expect(async () => {
    await page.reload();
    await expect(page.locator("#group-lag tr.level")).toHaveCount(3, { timeout: 1_000 });
  }).toPass();
  await page.getByRole("checkbox", { name: "Only behind" }).check();
  await expect(page.locator("#group-lag tr.level").first()).toBeHidden();
  await context.close();
});

test("a group that is not there is said not to be", async ({ start, page }) => {
  const ottla = await start();
  const response = await page.goto(`${ottla.url}/groups/no-such-group`);
  expect(response?.status()).toBe(404);
  await expect(page.getByRole("main")).toContainText("There is no group no-such-group");
});
