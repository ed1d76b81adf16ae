// The cluster's page: where each partition lives, and that a broker's end is seen while one looks.
import type { Page } from "@playwright/test";
import { kafkaScript } from "../support/paths.ts";
import { run } from "../support/process.ts";
import { expect, test } from "../support/test.ts";

/// Opens the page and waits until the server keeps it live.
async function openLive(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await expect(page.locator("html[data-hydrated]")).toBeAttached();
  await expect(page.locator("#stream")).toHaveAttribute("data-state", "live", { timeout: 20_000 });
}

/// What is in the cells of the picture, by kind, over all tables. Whether a leader is the preferred one is left out: Kafka gives its
/// partitions back to a broker when it likes.
async function cells(page: Page): Promise<Record<string, number>> {
  const words = await page.locator("#cluster-picture td .sr").allTextContents();
  const counts: Record<string, number> = {};
  for (const word of words.map((word) => word.replace(", not the preferred one", ""))) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}

const brokerRow = (page: Page, id: number) => page.locator("#cluster-brokers tbody tr").filter({ has: page.locator("th", { hasText: new RegExp(`^${id}`) }) });

test("a broker stops: the followers take over while one looks, and it comes back", async ({ start, page, topic }) => {
  test.setTimeout(420_000);
  const env = { OTTLA_KAFKA_PORT: "22492", OTTLA_KAFKA_DATA: test.info().outputPath("kafka") };
  const kafka = (...args: string[]) => run(kafkaScript, args, { env });
  try {
    // A cluster of its own: the other tests' brokers are left alone.
    await kafka("start");
    const ottla = await start({ brokers: "127.0.0.1:22492,127.0.0.1:22493,127.0.0.1:22494" });
    await openLive(page, `${ottla.url}/cluster?q=${topic}`);
    await expect(page.locator("#cluster-picture h3")).toHaveText(topic);
    await expect.poll(() => cells(page), { timeout: 30_000 }).toEqual({ leader: 3, "in sync": 6 });
    await expect(page.locator("#cluster-trouble")).toBeEmpty();
    await expect(page.locator("#cluster-changes")).toContainText("Nothing changed since");
    await page.evaluate(() => Object.assign(window, { sameDocument: true }));

    // The one that leads partition 0, so that it is seen to move.
    const lead = await page.locator("#cluster-picture tbody tr").evaluateAll((rows) => rows.findIndex((row) => row.querySelector("td")?.classList.contains("lead")));
    const id = lead + 1;
    await kafka("stop-node", String(id));
    await expect(brokerRow(page, id)).toContainText("away", { timeout: 30_000 });
    await expect.poll(() => cells(page), { timeout: 30_000 }).toEqual({ leader: 3, "in sync": 3, "on a broker that is away": 3 });
    await expect(page.locator("#cluster-trouble")).toContainText(`Broker ${id} is away.`);
    await expect(page.locator("#cluster-trouble")).toContainText("under-replicated");
    const elected = page.locator("#cluster-changes tbody tr").filter({ hasText: "leader elected" }).filter({ hasText: `${topic}[` });
    // Time, event, from, to, partitions.
    const [from, to] = [elected.first().locator("td").nth(2), elected.first().locator("td").nth(3)];
    await expect(from).toHaveText(`broker ${id}`);
    await expect(to).toHaveText(/^broker \d$/);
    await expect(to).not.toHaveText(`broker ${id}`);
    await expect(page.locator("#cluster-picture td .sr").filter({ hasText: "not the preferred one" }).first()).toBeAttached();
    await expect(page.locator("#cluster-changes tbody tr").filter({ hasText: "broker gone" }).locator("td").nth(2)).toHaveText(`broker ${id}`);
    expect(await page.evaluate(() => "sameDocument" in window)).toBe(true);

    // A reload loses nothing of it, and no other tab either.
    await openLive(page, `${ottla.url}/cluster?q=${topic}`);
    await expect(page.locator("#cluster-changes tbody tr").filter({ hasText: "broker gone" })).toHaveCount(1);

    await kafka("start-node", String(id));
    await expect(page.locator("#cluster-changes tbody tr").filter({ hasText: "broker there" }).locator("td").nth(3)).toHaveText(`broker ${id}`, { timeout: 60_000 });
    await expect.poll(() => cells(page), { timeout: 60_000 }).toEqual({ leader: 3, "in sync": 6 });
    await expect(page.locator("#cluster-changes tbody tr").filter({ hasText: "in sync again" }).first()).toBeVisible();
    await expect(page.locator("#cluster-trouble")).toBeEmpty({ timeout: 60_000 });

    // Without Kafka what was seen stays, and says how old it is.
    await kafka("stop");
    await expect(page.locator("#note")).toContainText("Kafka does not answer", { timeout: 30_000 });
    await expect(page.locator("#note")).toContainText("What is shown is as of");
    await expect(page.locator("#cluster-picture h3")).toHaveText(topic);
  } finally {
    await kafka("destroy");
  }
});

test("a search and a page are asked for by address, without JavaScript too", async ({ start, browser, topic }) => {
  const ottla = await start();
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(ottla.url);
  await page.getByRole("link", { name: "Cluster" }).click();
  await expect(page).toHaveURL(`${ottla.url}/cluster`);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Cluster");
  await page.getByRole("searchbox").fill(topic);
  await page.getByRole("button", { name: "Search" }).click();
  await expect(page.locator("#cluster-picture h3")).toHaveText(topic);
  await expect(page.getByRole("table", { name: topic }).getByRole("row")).toHaveCount(4);
  await expect(page.getByText("Live updates need JavaScript.")).toBeVisible();
  const instances = page.getByRole("region", { name: "Ottla instances" });
  // Those of other tests are of the same cluster, and may have its name.
  await expect(instances.getByRole("row").filter({ hasText: topic })).toContainText("this tab");
  await page.locator("#cluster-picture").getByRole("link").click();
  await expect(page).toHaveURL(`${ottla.url}/topics/${topic}`);
  await context.close();
});

test("six entries fit on a phone, in every language", async ({ start, page }) => {
  const ottla = await start();
  await page.setViewportSize({ width: 390, height: 844 });
  for (const language of ["en", "zh-Hant", "zh-Hans"]) {
    await page.goto(`${ottla.url}/preferences?lang=${language}&back=/cluster`);
    const cut = await page.locator("nav.nav ul a").evaluateAll((links) => links.filter((link) => link.scrollWidth > link.clientWidth).map((link) => link.textContent));
    expect(cut, language).toEqual([]);
    expect(await page.locator("nav.nav ul a").count()).toBe(6);
  }
});
