// Pictures of every page, light and dark, wide and narrow, into screenshots/: to be looked at beside the design's.
import { join } from "node:path";
import { pythonProduce } from "../support/kafka.ts";
import { screenshots } from "../support/paths.ts";
import { expect, test } from "../support/test.ts";

const SIZES = [
  { width: 1440, height: 900 },
  { width: 390, height: 844 },
];

test("pictures", async ({ start, browser, topic }) => {
  test.setTimeout(180_000);
  const ottla = await start({ name: "ottla-1" });
  await pythonProduce(topic);
  const order = (n: number) =>
    JSON.stringify({ orderId: `o-${88200 + n}`, status: ["placed", "paid", "shipped"][n % 3], total: 1280 + n * 7, currency: "TWD", note: "請於週末配送" });
  let newest = { topic, partition: 0, offset: "0" };
  for (let n = 0; n < 30; n++) newest = await ottla.produce(topic, order(n), { key: `cust-${20400 + n}` });
  const empty = await start({ name: "ottla-2", group: `g-${topic}-empty`, topics: [`${topic}-empty`] });

  for (const colorScheme of ["light", "dark"] as const) {
    for (const viewport of SIZES) {
      const context = await browser.newContext({ colorScheme, viewport });
      const page = await context.newPage();
      const shoot = (name: string) => page.screenshot({ path: join(screenshots, `${name}-${colorScheme}-${viewport.width}.png`) });
      const open = async (path: string, of = ottla) => {
        await page.goto(of.url + path);
        await expect(page.locator("html[data-hydrated]")).toBeAttached();
      };
      await open("/");
      await expect(page.locator(".conn")).toHaveAttribute("data-state", "live");
      await page.locator("section.composer textarea").fill(order(99));
      await page.locator("section.composer").getByRole("button", { name: /send/i }).click();
      await expect(page.locator("section.composer [data-receipt]")).toContainText("consumed by");
      await shoot("feed");
      await page.locator("[role=row][data-place]").first().click();
      await expect(page.locator(".drawer.open")).toBeVisible();
      await shoot("feed-detail");
      await open("/", empty);
      await expect(page.locator(".conn")).toHaveAttribute("data-state", "live");
      await shoot("feed-empty");
      await open("/produce");
      await shoot("produce");
      await page.getByRole("main").locator("form").first().getByRole("button", { name: /send/i }).click();
      await expect(page.locator("[aria-invalid=true]").first()).toBeVisible();
      await shoot("produce-errors");
      await open("/topics");
      await shoot("topics");
      await open(`/topics/${newest.topic}/${newest.partition}/${newest.offset}`);
      await shoot("record");
      await open("/cluster");
      await expect(page.locator("#stream")).toHaveAttribute("data-state", "live");
      await shoot("cluster");
      await open("/groups");
      await shoot("groups");
      await open(`/groups/g-${topic}`);
      await expect(page.locator("#stream")).toHaveAttribute("data-state", "live");
      await shoot("group");
      await page.goto(`${ottla.url}/preferences?lang=zh-Hant&back=/`);
      await expect(page.locator(".conn")).toHaveAttribute("data-state", "live");
      await shoot("feed-zh-Hant");
      await context.close();
    }
  }
});
