// Several feeds on one instance: each has a group and topics of its own, and the page shows the one that is chosen.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Feed } from "../support/feed.ts";
import { expect, test } from "../support/test.ts";

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
