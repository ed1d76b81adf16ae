// The whole group in one tab: what is in the log, who of the group consumed it, and what happens when one of them is gone.
import type { Feed } from "../support/feed.ts";
import { eventually } from "../support/process.ts";
import { expect, test } from "../support/test.ts";

/// Who consumed what a tab shows, by place.
async function consumers(tab: Feed): Promise<Map<string, string>> {
  const rows = await tab.rows.evaluateAll((rows) =>
    rows.map((row) => [(row as HTMLElement).dataset.place ?? "", row.querySelector(".who")?.textContent?.trim() ?? ""] as const),
  );
  return new Map(rows);
}

test("a tab on the whole group shows what two tabs on two instances share", async ({ start, open, topic }) => {
  const [one, two] = [await start(), await start()];
  const [a, b] = [await open(one.url, "instance"), await open(two.url, "instance")];
  // Where several instances run, the whole group is what a newcomer sees.
  const whole = await open(one.url);
  await expect(whole.page.getByRole("radio", { name: "Whole group" })).toBeChecked();

  const places = await one.produceMany(topic, "shared", 30);
  await whole.showsExactly(places);
  await expect.poll(async () => (await a.places()).length + (await b.places()).length).toBe(places.length);
  for (const [tab, name] of [[a, "ottla-1"], [b, "ottla-2"]] as const) {
    const own = await tab.places();
    expect(own.length).toBeGreaterThan(0);
    const said = await eventually("the marks are there", 10_000, async () => {
      const said = await consumers(whole);
      return [...said.values()].every((who) => who.startsWith("ottla-")) ? said : undefined;
    });
    for (const place of own) expect(said.get(place), place).toBe(name);
  }

  // The switch shows this instance's share, and the whole again.
  await whole.page.getByText("This instance", { exact: true }).click();
  await expect.poll(async () => (await whole.places()).sort()).toEqual((await a.places()).sort());
  await whole.page.getByText("Whole group", { exact: true }).click();
  const more = await two.produceMany(topic, "more", 6);
  await expect.poll(async () => more.filter((place) => !places.includes(place)).length).toBe(6);
  for (const place of more) await expect(whole.row(place)).toHaveCount(1);
});

test("what nobody consumed yet waits in the log, and is then said to be consumed", async ({ start, open, topic }) => {
  const [one, two] = [await start(), await start()];
  const whole = await open(one.url, "group");
  // Frozen for less than the session time-out: it keeps its partitions and consumes nothing.
  process.kill(two.pid, "SIGSTOP");
  const places = await one.produceMany(topic, "waits", 12);
  await whole.showsExactly(places);
  const waiting = whole.rows.filter({ hasText: "in the log" });
  await expect(waiting.first()).toContainText("waiting");
  // What the other one consumed is said a moment after the row is there: marks go out every 50 ms.
  await whole.page.waitForTimeout(1_000);
  const before = await waiting.count();
  expect(before).toBeLessThan(places.length);
  process.kill(two.pid, "SIGCONT");
  await expect(waiting).toHaveCount(0);
  await expect.poll(async () => [...(await consumers(whole)).values()].filter((who) => who === "ottla-2").length).toBe(before);
});

test("a tab on the whole group is told who took which partitions over from whom", async ({ start, open }) => {
  const [one, two] = [await start(), await start()];
  const whole = await open(one.url, "group");
  const note = (text: RegExp) => whole.page.locator(".row.note").filter({ hasText: text });
  const three = await start();
  await expect(note(/Joined.*ottla-3/)).toHaveCount(1);
  await expect(note(/Rebalanced.*→.*ottla-3/)).toHaveCount(1, { timeout: 20_000 });
  await three.stop();
  await expect(note(/Left.*ottla-3/)).toHaveCount(1);
  const taken = note(/Rebalanced.*ottla-3.*→.*ottla-[12]/);
  await expect(taken.first()).toContainText("s without an owner");
  await two.kill();
  await expect(note(/Not heard of any more.*ottla-2/)).toHaveCount(1, { timeout: 20_000 });
});

test("an instance is killed: its tab goes on at another, tiles move, and the counters stay right", async ({ start, open, wire, page, topic }) => {
  test.slow();
  const [one, two] = [await start(), await start()];
  // One address, two instances behind it.
  const front = await wire(one, two);
  const tab = await open(front.url, "group");
  await expect(tab.instance).toHaveText("ottla-1");
  await page.goto(`${two.url}/groups/g-${topic}`);
  const column = (name: string) => page.locator("#group-board").getByRole("region", { name, exact: true });
  await expect(column("ottla-1").locator(".tile").first()).toBeVisible();
  const before = await two.produceMany(topic, "before", 20);
  await tab.showsExactly(before);

  await one.kill();
  await expect(tab.instance).toHaveText("ottla-2", { timeout: 20_000 });
  const after = await two.produceMany(topic, "after", 20);
  await tab.showsExactly([...before, ...after]);
  await expect(column("ottla-2").locator(".tile")).toHaveCount(3, { timeout: 20_000 });
  await expect(tab.rows.filter({ hasText: "in the log" })).toHaveCount(0, { timeout: 20_000 });
  // Of what the killed one had not committed, no record is passed off as new: 20 + 20, and what came again is said to.
  const count = async (name: string) => {
    const shown = tab.page.locator(`[data-count="${name}"]`);
    return (await shown.count()) ? Number.parseInt((await shown.innerText()).replaceAll(",", ""), 10) : 0;
  };
  expect(await count("duplicates")).toBe(0);
  expect(await count("missing")).toBe(0);
  const { consumed, again } = await eventually("the survivor's counters", 10_000, async () => {
    const [consumed, again] = [await count("consumed"), (await count("redelivered")) + (await count("possibly"))];
    return consumed >= after.length ? { consumed, again } : undefined;
  });
  expect(consumed - again).toBeLessThanOrEqual(before.length + after.length);
});
