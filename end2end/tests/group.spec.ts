// One group, several instances: each record is consumed by exactly one, and nothing is lost or repeated when they come and go.
import type { Feed } from "../support/feed.ts";
import { place } from "../support/ottla.ts";
import { eventually } from "../support/process.ts";
import { expect, test } from "../support/test.ts";

/// Both tabs together show exactly these places, and none of them both.
async function shareExactly(a: Feed, b: Feed, places: string[]): Promise<void> {
  const all = async () => [...(await a.places()), ...(await b.places())].sort();
  await expect.poll(all, { timeout: 30_000 }).toEqual([...places].sort());
}

test("two instances share the work: each record is in the feed of exactly one", async ({ start, open, topic }) => {
  const [one, two] = [await start(), await start()];
  const [a, b] = [await open(one.url, "instance"), await open(two.url, "instance")];
  await expect(a.instance).toHaveText("ottla-1");
  await expect(b.instance).toHaveText("ottla-2");
  const places = await one.produceMany(topic, "shared", 40);
  await shareExactly(a, b, places);
  expect((await a.places()).length).toBeGreaterThan(0);
  expect((await b.places()).length).toBeGreaterThan(0);
});

test("a message that another instance consumes is said to be, and by whom where the whole group is shown", async ({ start, open }) => {
  const [one, two] = [await start(), await start()];
  const [a, b] = [await open(one.url, "instance"), await open(two.url, "instance")];
  const whole = await open(one.url, "group");
  // Whichever partition it falls on: in the end one goes to the other instance.
  const toTheOther = (tab: Feed) =>
    eventually("a message for the other instance", 30_000, async () => {
      const sent = await tab.send(`message at ${Date.now()}`);
      await expect.poll(async () => (await a.row(sent).count()) + (await b.row(sent).count())).toBe(1);
      return (await b.row(sent).count()) === 1 ? sent : undefined;
    });
  const elsewhere = await toTheOther(a);
  await expect(a.row(elsewhere)).toHaveCount(0);
  await expect(a.receipt).toContainText("consumed elsewhere");
  await toTheOther(whole);
  await expect(whole.receipt).toContainText("ottla-2");
});

test("a restarted instance consumes nothing again, and offers the last ones from the log", async ({ start, open, topic }) => {
  const ottla = await start();
  const before = await ottla.produceMany(topic, "before", 10);
  await (await open(ottla.url)).showsExactly(before);
  const took = await ottla.stop();
  expect(took).toBeLessThan(10_000);
  await ottla.restart();

  const tab = await open(ottla.url);
  await tab.showsExactly([]);
  const after = await ottla.produceMany(topic, "after", 2);
  await tab.showsExactly(after);

  await tab.page.goto(`${ottla.url}/?last=100`);
  await tab.showsExactly([...before, ...after]);
});

test("a new group consumes everything again", async ({ start, open, topic }) => {
  const one = await start();
  const places = await one.produceMany(topic, "once more", 10);
  await (await open(one.url)).showsExactly(places);
  const other = await start({ group: `g-${topic}-other` });
  await (await open(other.url)).showsExactly(places);
});

test("the partitions of an instance that crashed move to the other, and nothing is lost", async ({ start, open, topic }) => {
  const [one, two] = [await start(), await start()];
  const b = await open(two.url);
  await one.kill();
  const places = await two.produceMany(topic, "after the crash", 12);
  // The session time-out is 6 s.
  await expect.poll(async () => new Set(await b.places()).size, { timeout: 30_000 }).toBe(places.length);
  await b.showsExactly(places);
});

test("an instance that stops cleanly hands its partitions over at once", async ({ start, open, topic }) => {
  test.setTimeout(120_000);
  // Long enough that a slow machine is not taken for it.
  const session = { env: { OTTLA_CONSUMER__SESSION_TIMEOUT_MS: "30000", OTTLA_CONSUMER__MAX_POLL_INTERVAL_MS: "30000" } };
  const [one, two] = [await start(session), await start(session)];
  const b = await open(two.url);
  expect(await one.stop()).toBeLessThan(10_000);
  const began = Date.now();
  const sent = await Promise.all([0, 1, 2].map(async (partition) => place(await two.produce(topic, "handed over", { partition }))));
  await b.showsExactly(sent);
  // Well below the session time-out: nobody waited for that.
  expect(Date.now() - began).toBeLessThan(15_000);
});
