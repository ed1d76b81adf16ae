// A group's offsets are reset: a dry run, the tick, what came of it; while the group runs and when it is empty.
import { Feed } from "../support/feed.ts";
import { expect, test } from "../support/test.ts";

test("a running group goes back: the dry run says how far, owners move, and what comes again is labelled", async ({ start, open, page, topic }) => {
  const [one, two] = [await start(), await start()];
  const tab = await open(one.url, "group");
  const places = await one.produceMany(topic, "again", 30);
  await tab.showsExactly(places);
  await expect(tab.rows.filter({ hasText: "in the log" })).toHaveCount(0);

  await page.goto(`${two.url}/groups/g-${topic}`);
  await page.getByRole("link", { name: "Reset offsets" }).click();
  await page.getByText("Earliest", { exact: true }).click();
  const preview = page.getByRole("region", { name: "Preview" });
  // What was shown is committed a moment later.
  await expect(async () => {
    await page.getByRole("button", { name: "Preview" }).click();
    await expect(page.getByText("Would be read again: 30")).toBeVisible({ timeout: 1_000 });
  }).toPass();
  await expect(preview.getByRole("row").filter({ hasText: topic })).toHaveCount(3);

  await page.getByRole("checkbox").last().check();
  await page.getByRole("button", { name: /^Reset/ }).click();
  await expect(page.getByRole("region", { name: "Result" }).getByText("Done")).toHaveCount(3);
  // In the log they are once; who consumed them again said so.
  await expect(tab.rows.filter({ hasText: "replayed" })).toHaveCount(30, { timeout: 20_000 });
  await tab.showsExactly(places);
});

test("nothing is done without the tick, and what is no place is refused at the field", async ({ start, page, topic }) => {
  const ottla = await start();
  await ottla.produceMany(topic, "stays", 6);
  await page.goto(`${ottla.url}/groups/g-${topic}/reset`);
  await page.getByText("Offset", { exact: true }).click();
  await page.getByLabel("Time, offset or count").fill("many");
  await page.getByRole("button", { name: "Preview" }).click();
  await expect(page.getByRole("alert")).toBeVisible();
  await expect(page.getByLabel("Time, offset or count")).toHaveValue("many");

  // What was asked for comes back with its plan.
  await page.getByLabel("Time, offset or count").fill("0");
  await page.getByLabel("Partitions").fill("1");
  await page.getByRole("button", { name: "Preview" }).click();
  await page.getByRole("checkbox").last().evaluate((tick) => tick.removeAttribute("required"));
  const [response] = await Promise.all([
    page.waitForResponse((response) => response.request().method() === "POST"),
    page.getByRole("button", { name: /^Reset/ }).click(),
  ]);
  expect(response.status()).toBe(422);
  await expect(page.getByText("Tick first").first()).toBeVisible();
  await expect(page.getByRole("radio", { name: "Offset" })).toBeChecked();
  await expect(page.getByLabel("Time, offset or count")).toHaveValue("0");
  await expect(page.getByRole("region", { name: "Preview" }).getByRole("row").filter({ hasText: `${topic}[1]` })).toHaveCount(1);
});

test("a group that others consume is not reset, and they are named", async ({ start, page, topic }) => {
  const one = await start();
  const other = await start({ group: `g-${topic}-other`, env: { OTTLA_JOURNAL__ENABLED: "false" } });
  await page.goto(`${one.url}/groups/g-${topic}-other/reset?to=earliest&topic=${topic}&preview=1`);
  await expect(page.getByText("ottla-2").first()).toBeVisible();
  await expect(page.getByRole("button", { name: /^Reset/ })).toHaveCount(0);

  // Empty, it can be.
  await other.stop();
  await expect(async () => {
    await page.reload();
    await expect(page.getByRole("button", { name: /^Reset/ })).toBeVisible({ timeout: 1_000 });
  }).toPass({ timeout: 20_000 });
  await page.getByRole("checkbox").last().check();
  await page.getByRole("button", { name: /^Reset/ }).click();
  await expect(page.getByRole("region", { name: "Result" }).getByText("Done")).toHaveCount(3);
});

test("a replay with a group of its own begins a feed at the offsets, beside the running one, whose offsets stay", async ({ start, page, topic }) => {
  const ottla = await start();
  const tab = await Feed.open(page, ottla.url);
  const places = await ottla.produceMany(topic, "replayed apart", 12);
  await tab.showsExactly(places);
  await page.goto(`${ottla.url}/groups/g-${topic}/reset?to=earliest&topic=${topic}&preview=1`);
  await page.getByRole("button", { name: "Replay with a new group id" }).click();
  await expect(page).toHaveURL(/feed=replay-/);
  await tab.isLive();
  await tab.showsExactly(places);
  await expect(page.locator("#strip")).toContainText(`g-${topic}-replay-`);
  // For this group it is the first time.
  await expect(tab.rows.locator(".how").filter({ hasText: /redelivered|replayed/ })).toHaveCount(0);
  const more = await ottla.produceMany(topic, "and goes on", 2);
  await tab.showsExactly([...places, ...more]);
  await page.getByRole("navigation", { name: "Feeds" }).getByRole("link", { name: "default" }).click();
  await tab.isLive();
  await tab.showsExactly([...places, ...more]);
});
