// What happens to a tab when its connection breaks, its instance restarts, or Kafka goes away: it says so, and goes on where
// it stopped.
import { Feed } from "../support/feed.ts";
import { kafkaScript } from "../support/paths.ts";
import { Instance } from "../support/ottla.ts";
import { run } from "../support/process.ts";
import { expect, test } from "../support/test.ts";

test("a broken connection: what was missed appears, nothing twice", async ({ start, open, wire, topic }) => {
  const ottla = await start();
  const cable = await wire(ottla);
  const tab = await open(cable.url);
  const before = await ottla.produceMany(topic, "before", 5);
  await tab.showsExactly(before);

  cable.cut();
  await expect(tab.connection).toHaveAttribute("data-state", "reconnecting");
  const meanwhile = await ottla.produceMany(topic, "meanwhile", 20);
  await expect(tab.page.getByRole("timer")).toBeVisible();
  await tab.showsExactly(before);

  // With some seconds left to wait, it is the press that brings it back.
  await expect(tab.page.getByRole("timer")).toContainText(/\b([3-9]|\d\d) s/, { timeout: 40_000 });
  cable.mend();
  await tab.page.getByRole("button", { name: "Try now" }).click();
  await expect(tab.connection).toHaveAttribute("data-state", "live", { timeout: 2_000 });
  await tab.showsExactly([...before, ...meanwhile]);
  await expect(tab.grid).toContainText("Resumed");

  // And it is live again.
  const after = await ottla.produceMany(topic, "after", 3);
  await tab.showsExactly([...before, ...meanwhile, ...after]);
});

test("it reconnects by itself", async ({ start, open, wire, topic }) => {
  const ottla = await start();
  const cable = await wire(ottla);
  const tab = await open(cable.url);
  for (let time = 1; time <= 3; time++) {
    cable.cut();
    await expect(tab.connection).not.toHaveAttribute("data-state", "live");
    await ottla.produce(topic, `break ${time}`);
    cable.mend();
    await tab.isLive();
  }
  await expect(tab.rows).toHaveCount(3);
});

test("an instance that restarts: its tabs come back, with nothing lost and nothing twice", async ({ start, open, topic }) => {
  const ottla = await start();
  const tab = await open(ottla.url);
  const before = await ottla.produceMany(topic, "before", 5);
  await tab.showsExactly(before);
  await ottla.restart();
  await tab.isLive();
  const after = await ottla.produceMany(topic, "after", 5);
  await tab.showsExactly([...before, ...after]);
});

test("what was missed and left memory is a row that loads it from the log", async ({ start, open, wire, topic }) => {
  const ottla = await start();
  const cable = await wire(ottla);
  const tab = await open(cable.url);
  const before = await ottla.produceMany(topic, "before", 12);
  await tab.showsExactly(before);
  cable.cut();
  await expect(tab.connection).toHaveAttribute("data-state", "reconnecting");
  const other = await open(ottla.url);
  const meanwhile = await ottla.produceMany(topic, "meanwhile", 30);
  await other.showsExactly([...before, ...meanwhile]);
  // Its memory is gone with the process.
  await ottla.restart();
  cable.mend();
  await tab.isLive();
  const gaps = tab.page.locator(".row.note").filter({ has: tab.page.getByRole("button", { name: "Load" }) });
  await expect(gaps).toHaveCount(3);
  await gaps.first().getByRole("button", { name: "Load" }).click();
  await expect(gaps).toHaveCount(2);
  // By keyboard, from the first row on. A step's focus is there in the next frame.
  const line = () => tab.page.evaluate(() => Number(document.activeElement?.getAttribute("aria-rowindex")));
  await tab.grid.focus();
  while ((await gaps.count()) > 0) {
    const from = await line();
    await tab.page.keyboard.press("j");
    await expect.poll(line).toBeGreaterThan(from);
    if (await tab.page.locator(".row.note:focus:has([data-do=load-gap])").count()) {
      const left = await gaps.count();
      await tab.page.keyboard.press("Enter");
      await expect(gaps).toHaveCount(left - 1);
    }
  }
  await tab.showsExactly([...before, ...meanwhile]);
});

test("a gap is loaded with the filter, says how many match, and is a gap again when the filter goes", async ({ start, open, wire, topic }) => {
  const ottla = await start();
  const cable = await wire(ottla);
  const tab = await open(cable.url);
  cable.cut();
  await expect(tab.connection).toHaveAttribute("data-state", "reconnecting");
  const other = await open(ottla.url);
  const meanwhile = await ottla.produceMany(topic, "meanwhile", 30);
  await other.showsExactly(meanwhile);
  await ottla.restart();
  cable.mend();
  await tab.isLive();
  const load = tab.page.getByRole("button", { name: "Load", exact: true });
  await expect(load).toHaveCount(3);

  // 1 and 10 to 19.
  await tab.page.getByRole("searchbox").fill('value:"meanwhile 1"');
  // The server is asked with it.
  await expect(tab.page).toHaveURL(/filter=/);
  await expect(load).toHaveCount(3);
  for (let left = 2; left >= 0; left--) {
    await load.first().click();
    await expect(load).toHaveCount(left);
  }
  await tab.showsExactly([1, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19].map((n) => meanwhile[n]!));
  const said = (await tab.page.locator(".row.note b").allTextContents()).map((text) => /^(\d+) of (\d+) match$/.exec(text));
  const sum = (part: number) => said.reduce((sum, numbers) => sum + Number(numbers?.[part] ?? 0), 0);
  expect([sum(1), sum(2)]).toEqual([11, 30]);

  await tab.page.getByRole("searchbox").fill("");
  await expect(load).toHaveCount(3);
  await tab.showsExactly([]);
});

test("an instance that was killed comes back the same way", async ({ start, open, topic }) => {
  test.slow();
  const ottla = await start();
  const tab = await open(ottla.url);
  const before = await ottla.produceMany(topic, "before", 5);
  await tab.showsExactly(before);
  await ottla.kill();
  await expect(tab.connection).not.toHaveAttribute("data-state", "live");
  await ottla.restart();
  await tab.isLive();
  const after = await ottla.produceMany(topic, "after", 5);
  await expect.poll(async () => new Set(await tab.places()), { timeout: 30_000 }).toEqual(new Set([...before, ...after]));
});

/// Kafka goes and comes back: the page stays, says so, refuses to send with the broker's reason, and recovers by itself.
async function outlivesKafka(ottla: Instance, tab: Feed, topic: string, kafka: { stop(): Promise<void>; start(): Promise<void> }) {
  const before = await ottla.produceMany(topic, "before", 3);
  await tab.showsExactly(before);
  // Commits go out every 500 ms. What is not committed when Kafka goes is consumed again, as at-least-once says.
  await tab.page.waitForTimeout(1_500);

  await kafka.stop();
  await expect(tab.page.getByRole("alert").filter({ hasText: /kafka/i })).toBeVisible({ timeout: 30_000 });
  // The page itself does not need Kafka, and shows what it has.
  const other = await tab.page.context().newPage();
  const response = await other.goto(ottla.url);
  expect(response?.status()).toBe(200);
  await expect(other.getByRole("alert").filter({ hasText: /kafka/i })).toBeVisible();
  await expect(other.locator("[role=row][data-place]")).toHaveCount(before.length);
  await other.close();
  expect(await ottla.isReady()).toBe(false);

  await kafka.start();
  await ottla.ready();
  await expect(tab.page.getByRole("alert").filter({ hasText: /kafka/i })).toBeHidden({ timeout: 30_000 });
  const after = await ottla.produceMany(topic, "after", 3);
  await tab.showsExactly([...before, ...after]);
}

test("the embedded broker goes and comes back", async ({ start, startBroker, open, topic }) => {
  test.slow();
  const broker = await startBroker();
  const ottla = await start({ brokers: broker.brokers });
  await outlivesKafka(ottla, await open(ottla.url), topic, { stop: () => broker.stop(), start: () => broker.startAgain() });
});

test("a real Kafka goes and comes back", async ({ start, open, topic }) => {
  test.setTimeout(180_000);
  // One of its own: the cluster of the other tests stays up. Its port is none that the system hands out while it is down.
  const env = { OTTLA_KAFKA_PORT: "23092", OTTLA_KAFKA_DATA: test.info().outputPath("kafka") };
  const kafka = (...args: string[]) => run(kafkaScript, args, { env });
  await kafka("start", "--nodes", "1");
  try {
    const ottla = await start({ brokers: "127.0.0.1:23092" });
    await outlivesKafka(ottla, await open(ottla.url), topic, {
      stop: async () => void (await kafka("stop")),
      start: async () => void (await kafka("start")),
    });
  } finally {
    await kafka("destroy");
  }
});

test("an instance starts without Kafka, says so, and works once it is there", async ({ startBroker, page, topic }) => {
  test.slow();
  const broker = await startBroker();
  await broker.stop();
  const ottla = await Instance.launch({ name: "early", group: `g-${topic}`, topics: [topic], brokers: broker.brokers });
  try {
    const response = await page.goto(ottla.url);
    expect(response?.status()).toBe(200);
    await expect(page.getByRole("alert").filter({ hasText: /kafka/i })).toBeVisible({ timeout: 30_000 });
    await broker.startAgain();
    await ottla.ready();
    const tab = new Feed(page);
    await tab.isLive();
    await tab.showsExactly(await ottla.produceMany(topic, "late", 2));
  } finally {
    await ottla.stop();
  }
});

test("a tab that can't keep up says how far it is behind, and catches up without a gap", async ({ start, browser, topic }, info) => {
  test.slow();
  const ottla = await start();
  const page = await browser.newPage();
  // Every message costs this tab four frames until it is let go.
  await page.addInitScript(() => {
    const setter = Object.getOwnPropertyDescriptor(WebSocket.prototype, "onmessage")?.set;
    Object.defineProperty(WebSocket.prototype, "onmessage", {
      set(this: WebSocket, take: ((event: MessageEvent) => void) | null) {
        const slowly = (event: MessageEvent) => {
          const until = performance.now() + ("isQuick" in window ? 0 : 60);
          while (performance.now() < until);
          take?.(event);
        };
        setter?.call(this, take && slowly);
      },
    });
  });
  const tab = await Feed.open(page, ottla.url);
  const sent: string[] = [];
  let isEnough = false;
  // Several at once: one after the other they might come as slowly as this tab takes them.
  const producing = [1, 2, 3, 4].map(async () => {
    while (!isEnough) sent.push(...(await ottla.produceMany(topic, "fast", 20)));
  });
  try {
    await expect(tab.connection).toHaveAttribute("data-state", "behind", { timeout: 30_000 });
    await expect(tab.connection).toHaveText(/Behind · \d+ s/);
    await expect(page.getByText(/This tab is [\d,]+ messages \(.+\) behind/)).toBeVisible();
    await page.screenshot({ path: info.outputPath("behind.png") });
    await page.evaluate(() => Object.assign(window, { isQuick: true }));
  } finally {
    isEnough = true;
    await Promise.allSettled(producing);
  }
  await expect(tab.connection).toHaveAttribute("data-state", "live", { timeout: 30_000 });
  await expect(page.getByText("messages not shown")).toHaveCount(0);
  await expect(page.locator('[data-count="consumed"]')).toHaveText(sent.length.toLocaleString("en"));
  await expect.poll(() => tab.places().then((places) => sent.includes(places[0] ?? ""))).toBe(true);
  await page.close();
});
