// Figures, reported and not asserted: how long a message takes from Send to another tab's document, and what an instance
// takes at rest. They land in figures/*.json.
import type { Page } from "@playwright/test";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Feed } from "../support/feed.ts";
import { figures } from "../support/paths.ts";
import type { Instance } from "../support/ottla.ts";
import { expect, test } from "../support/test.ts";

// A trace records the whole document at every step, and films it: it would measure itself.
test.use({ trace: "off", screenshot: "off" });

const SENDS = 200;
const WARM_UP = 20;

async function report(name: string, figure: Record<string, unknown>) {
  await mkdir(figures, { recursive: true });
  await writeFile(join(figures, `${name}.json`), `${JSON.stringify(figure, null, 2)}\n`);
  console.log(`figure ${name}: ${JSON.stringify(figure)}`);
}

/// Notes when a row with a marker comes into the document, and when the next frame after that begins.
async function watch(page: Page) {
  await page.evaluate(() => {
    const seen = new Map<string, { inserted: number; painted: number }>();
    Object.assign(window, { seen });
    const now = () => performance.timeOrigin + performance.now();
    new MutationObserver(() => {
      for (const row of document.querySelectorAll("[role=row][data-place]")) {
        const marker = /marker-\d+/.exec(row.textContent ?? "")?.[0];
        if (!marker) return;
        if (seen.has(marker)) return; // The newest are on top: the rest is known.
        const times = { inserted: now(), painted: 0 };
        seen.set(marker, times);
        requestAnimationFrame(() => (times.painted = now()));
      }
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
}

/// From the press of Send in one tab to another, in milliseconds.
async function latency(ottla: Instance, a: Feed, b: Feed) {
  // An ordinary screen, not the tall one that holds every row.
  for (const { page } of [a, b]) await page.setViewportSize({ width: 1440, height: 900 });
  await watch(b.page);
  const sent: number[] = [];
  const inserted: number[] = [];
  const painted: number[] = [];
  for (let n = 0; n < SENDS + WARM_UP; n++) {
    const marker = `marker-${n}`;
    await a.message.fill(marker);
    // The row is often there before the sender's receipt, until which it can't send again.
    await expect(a.page.locator("#compose-send")).toBeEnabled();
    const at = await a.page.evaluate(() => {
      const at = performance.timeOrigin + performance.now();
      document.querySelector<HTMLButtonElement>("#compose-send")?.click();
      return at;
    });
    const times = await b.page.waitForFunction(
      (marker) => {
        const { seen } = window as unknown as { seen: Map<string, { inserted: number; painted: number }> };
        const times = seen.get(marker);
        return times?.painted ? times : null;
      },
      marker,
      { polling: 20 },
    );
    if (n < WARM_UP) continue;
    const { inserted: there, painted: shown } = (await times.jsonValue()) as { inserted: number; painted: number };
    sent.push(at);
    inserted.push(there - at);
    painted.push(shown - at);
    // Not in step with the display or a timer; below the 20 rows a second at which a list shows them in batches.
    await new Promise((resolve) => setTimeout(resolve, 60 + Math.random() * 40));
  }
  const quantile = (of: number[], q: number) => {
    const sorted = [...of].sort((x, y) => x - y);
    return Number((sorted[Math.floor(q * (sorted.length - 1))] ?? Number.NaN).toFixed(1));
  };
  const both = (of: number[]) => ({ median: quantile(of, 0.5), p99: quantile(of, 0.99) });
  return { instance: ottla.options.name, sends: sent.length, inDocumentMs: both(inserted), nextFrameMs: both(painted) };
}

test("produce to visible in another tab, real Kafka", async ({ start, open }) => {
  test.setTimeout(180_000);
  const ottla = await start();
  await report("latency-kafka", await latency(ottla, await open(ottla.url), await open(ottla.url)));
});

test("produce to visible in another tab, embedded broker", async ({ start, open }) => {
  test.setTimeout(180_000);
  const ottla = await start({ brokers: undefined, dataDir: test.info().outputPath("broker") });
  await report("latency-embedded", await latency(ottla, await open(ottla.url), await open(ottla.url)));
});

test("memory and CPU at rest", async ({ start, open }) => {
  test.skip(process.platform !== "linux", "read from /proc");
  test.setTimeout(120_000);
  for (const [name, options] of [
    ["kafka", {}],
    ["embedded", { brokers: undefined, dataDir: test.info().outputPath("broker") }],
  ] as const) {
    const ottla = await start(options);
    const tab = await open(ottla.url);
    await tab.page.waitForTimeout(5_000);
    await report(`rest-${name}`, await ottla.rest(10_000));
    await tab.page.close();
    await ottla.stop();
  }
});

test("the page's parts", async ({ start, page }) => {
  const ottla = await start();
  const parts: Record<string, number> = {};
  page.on("response", async (response) => {
    const { responseBodySize } = await response.request().sizes();
    parts[new URL(response.url()).pathname.replace(/\.[\w-]{16,}\./, ".")] = responseBodySize;
  });
  await page.goto(ottla.url);
  await expect(page.locator("html[data-hydrated]")).toBeAttached();
  await page.waitForLoadState("networkidle");
  const paint = await page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        new PerformanceObserver((list) => resolve(list.getEntries().at(-1)?.startTime ?? 0)).observe({
          type: "largest-contentful-paint",
          buffered: true,
        });
      }),
  );
  await report("page", { bytesOnTheWire: parts, largestContentfulPaintMs: Math.round(paint) });
});
