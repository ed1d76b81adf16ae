// Several feeds on one instance: each has a group and topics of its own, and the page shows the one that is chosen.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Feed } from "../support/feed.ts";
import { expect, test } from "../support/test.ts";

test("a feed that there is none of is told of within the page, and those that there are can be chosen", async ({ start, page, topic }) => {
  const ottla = await start();
  const response = await page.goto(`${ottla.url}/?feed=replay-00000000`);
  expect(response?.status()).toBe(404);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("There is no feed called replay-00000000");
  await expect(page.getByRole("navigation", { name: "Main" })).toBeVisible();
  await page.getByRole("main").getByRole("link", { name: "default" }).click();
  const tab = new Feed(page);
  await tab.isLive();
  await tab.showsExactly(await ottla.produceMany(topic, "there", 2));
});

test("a feed that ended while a tab follows it: the tab says so, tries no more, and leads on", async ({ start, page, topic }) => {
  test.slow();
  const folder = await mkdtemp(join(tmpdir(), "ottla-feeds-"));
  const env: NodeJS.ProcessEnv = { OTTLA_CONFIG: join(folder, "ottla.toml") };
  await writeFile(env.OTTLA_CONFIG!, `[[feeds]]\nname = "bills"\ngroup = "g-${topic}-bills"\ntopics = ["${topic}-bills"]\n`);
  try {
    const ottla = await start({ env });
    const tab = await Feed.open(page, `${ottla.url}/?feed=bills`);
    const bills = await ottla.produceMany(`${topic}-bills`, "bill", 2);
    await tab.showsExactly(bills);
    // It comes back without that feed.
    delete env.OTTLA_CONFIG;
    await ottla.restart();
    await expect(tab.connection).toHaveAttribute("data-state", "ended", { timeout: 20_000 });
    const banner = tab.banner("This feed has ended");
    await expect(banner).toBeVisible();
    await expect(page.getByRole("timer")).toHaveCount(0);
    await tab.showsExactly(bills);
    let isTried = false;
    page.on("websocket", () => (isTried = true));
    await page.waitForTimeout(11_000);
    expect(isTried).toBe(false);
    await banner.getByRole("link", { name: "Feed" }).click();
    await tab.isLive();
    await expect(page.locator("#strip")).not.toContainText("bills");
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a second feed is chosen in the page, and shows its own topic", async ({ start, page, topic }) => {
  const folder = await mkdtemp(join(tmpdir(), "ottla-feeds-"));
  const config = join(folder, "ottla.toml");
  await writeFile(config, `[[feeds]]\nname = "bills"\ngroup = "g-${topic}-bills"\ntopics = ["${topic}-bills"]\n`);
  try {
    const ottla = await start({ env: { OTTLA_CONFIG: config } });
    const tab = await Feed.open(page, ottla.url);
    const orders = await ottla.produceMany(topic, "order", 3);
    const bills = await ottla.produceMany(`${topic}-bills`, "bill", 2);
    await tab.showsExactly(orders);
    const feeds = page.getByRole("navigation", { name: "Feeds" });
    await expect(feeds.getByRole("link", { name: "default" })).toHaveAttribute("aria-current", "page");
    await feeds.getByRole("link", { name: "bills" }).click();
    await tab.isLive();
    await tab.showsExactly(bills);
    await expect(page.locator("#strip")).toContainText(`g-${topic}-bills`);
    // It goes on live.
    const more = await ottla.produceMany(`${topic}-bills`, "one more bill", 1);
    await tab.showsExactly([...bills, ...more]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
