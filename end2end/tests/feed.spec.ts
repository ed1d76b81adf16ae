// The feed: what one tab sends, every tab of the instance shows; and what a reader does with the list.
import { consoleProduce, createTopic } from "../support/kafka.ts";
import { place } from "../support/ottla.ts";
import { hide } from "../support/page.ts";
import { expect, test } from "../support/test.ts";

test("a message sent in one tab appears in both, at the place of its receipt", async ({ start, open }) => {
  const ottla = await start();
  const [a, b] = [await open(ottla.url), await open(ottla.url)];
  const sent = await a.send('{"orderId":"o-1"}', "cust-1");
  for (const tab of [a, b]) {
    await expect(tab.row(sent)).toHaveCount(1);
    await expect(tab.row(sent)).toContainText("o-1");
    await expect(tab.row(sent)).toContainText("cust-1");
    await expect(tab.row(sent).locator(".inst")).toHaveText("ottla-1");
  }
  await expect(a.receipt).toContainText(/consumed by.*after \d+ ms/);
  await expect(a.row(sent)).toHaveClass(/\bmine\b/);
  await expect(b.row(sent)).not.toHaveClass(/\bmine\b/);
  await expect(a.message).toHaveValue("");
});

test("the newest are on top, and those already there come with the page", async ({ start, open, topic, request }) => {
  const ottla = await start();
  const places = await ottla.produceMany(topic, "message", 12);
  const tab = await open(ottla.url);
  await tab.showsExactly(places);
  const received = await tab.rows.locator("time").evaluateAll((times) => times.map((time) => time.getAttribute("datetime") ?? ""));
  expect(received).toEqual([...received].sort().reverse());
  // In the server's own HTML, before any script.
  const html = await (await request.get(ottla.url)).text();
  for (const one of places) expect(html).toContain(`data-place="${one}"`);
});

test("what a record holds is shown in the drawer and on its own page", async ({ start, open }) => {
  const ottla = await start();
  const tab = await open(ottla.url);
  const sent = await tab.send('{"n":9007199254740993,"note":"請於週末配送"}', "k-1");
  await tab.row(sent).click();
  const drawer = tab.page.getByRole("complementary").filter({ hasText: sent });
  await expect(drawer).toContainText("9007199254740993");
  await expect(drawer).toContainText("請於週末配送");
  const [topic, partition, offset] = sent.split(/[[\]@]+/);
  await tab.page.goto(`${ottla.url}/topics/${topic}/${partition}/${offset}`);
  await expect(tab.page.getByRole("main")).toContainText(sent);
  await expect(tab.page.getByRole("main")).toContainText("9007199254740993");
  await expect(tab.page.getByRole("main")).toContainText("k-1");
});

test("a value of nearly a megabyte is cut in the list, loaded on demand, and copied whole", async ({ start, open, topic }) => {
  const ottla = await start({ env: { OTTLA_SERVER__BODY_LIMIT_BYTES: "4194304" } });
  const tab = await open(ottla.url);
  await tab.page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  const large = JSON.stringify({ items: Array.from({ length: 35_000 }, (_, n) => ({ n, id: `id-${n}` })), last: "the end" });
  const sent = place(await ottla.produce(topic, large));
  await tab.row(sent).click();
  const drawer = tab.page.getByRole("complementary").filter({ hasText: sent });
  await expect(drawer).toContainText(/The first 32 KiB of [\d.]+ KiB/);
  await expect(drawer).not.toContainText("the end");
  await drawer.getByRole("button", { name: "Load all" }).click();
  await expect(drawer.locator(".panel.a")).toContainText('"last": "the end"');
  // The button is gone, and where it was the keyboard goes on.
  await expect(drawer).toBeFocused();
  await drawer.getByRole("button", { name: "Copy", exact: true }).click();
  await expect.poll(() => tab.page.evaluate(() => navigator.clipboard.readText())).toBe(large);
  // The page still answers.
  await tab.page.keyboard.press("Escape");
  await expect(drawer).toHaveCount(0);
  const next = place(await ottla.produce(topic, "next"));
  // The row has the focus again, and the list holds.
  await tab.page.keyboard.press("g");
  await tab.showsExactly([sent, next]);
});

test("a record's page says what is not there", async ({ start, page, topic }) => {
  const ottla = await start();
  for (const [path, text] of [
    [`/topics/${topic}/0/999`, "999"],
    [`/topics/${topic}/99/0`, "99"],
    ["/topics/no-such-topic/0/0", "no-such-topic"],
  ] as const) {
    await page.goto(ottla.url + path);
    await expect(page.getByRole("main")).toContainText(text);
    await expect(page.locator("[role=row][data-place]")).toHaveCount(0);
  }
});

test("pause freezes the view only, resume shows what came meanwhile", async ({ start, open, topic }) => {
  const ottla = await start();
  const tab = await open(ottla.url);
  const before = await ottla.produceMany(topic, "before", 3);
  await tab.showsExactly(before);
  await tab.page.getByRole("button", { name: "Pause" }).click();
  const meanwhile = await ottla.produceMany(topic, "meanwhile", 5);
  await expect(tab.page.getByRole("button", { name: /Resume.*5/ })).toBeVisible();
  await tab.showsExactly(before);
  await tab.page.getByRole("button", { name: /Resume/ }).click();
  await tab.showsExactly([...before, ...meanwhile]);
});

test("the filter shows what matches, and says when nothing does", async ({ start, open, topic }) => {
  const ottla = await start();
  const tab = await open(ottla.url);
  const apple = place(await ottla.produce(topic, "apple", { key: "k-apple" }));
  const pear = place(await ottla.produce(topic, "pear", { key: "k-pear" }));
  await tab.showsExactly([apple, pear]);
  const filter = tab.page.getByRole("searchbox");
  await filter.fill("apple");
  await tab.showsExactly([apple]);
  await filter.fill("nothing like it");
  await tab.showsExactly([]);
  await tab.page.getByRole("button", { name: "Clear the filter" }).click();
  await tab.showsExactly([apple, pear]);
});

test("a filter is the server's too: what does not match is not sent, and is there again when the filter ends", async ({ start, open, topic }) => {
  const ottla = await start();
  const [all, some] = [await open(ottla.url), await open(ottla.url)];
  const filter = some.page.getByRole("searchbox");
  const found = some.page.locator("#found");
  const produce = async (value: string) => place(await ottla.produce(topic, value));
  const before = [await produce('{"total":9007199254740992}'), await produce('{"total":9007199254740993}')];
  await some.showsExactly(before);

  await filter.fill("json:$.total>9007199254740992");
  await some.showsExactly([before[1]!]);
  await expect(found).toHaveText("1 of 2 match");
  await expect(some.page).toHaveURL(/[?&]filter=json/);
  // What the socket brings from now on.
  const sent: string[] = [];
  some.page.on("websocket", (socket) => socket.on("framereceived", (frame) => sent.push(frame.payload.toString())));
  await some.page.reload();
  await some.isLive();
  await expect(filter).toHaveValue("json:$.total>9007199254740992");
  const after = [await produce('{"total":1,"mark":"left-out"}'), await produce('{"total":9007199254740994,"mark":"let-through"}')];
  await all.showsExactly([...before, ...after]);
  await some.showsExactly([before[1]!, after[1]!]);
  await expect(found).toHaveText("2 of 4 match");
  expect(sent.some((frame) => frame.includes("let-through"))).toBe(true);
  expect(sent.some((frame) => frame.includes("left-out"))).toBe(false);

  // The rows that were left out are behind the tab, not lost.
  await filter.fill("");
  await some.showsExactly([...before, ...after]);
  await expect(found).toHaveText("");
  await expect(some.page).not.toHaveURL(/filter=/);
});

test("without JavaScript the filter box is a form, and says what is wrong", async ({ start, browser, topic }) => {
  const ottla = await start();
  const apple = place(await ottla.produce(topic, "apple"));
  const pear = place(await ottla.produce(topic, "pear"));
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  const rows = page.locator("[role=row][data-place]");
  await expect(async () => {
    await page.goto(ottla.url);
    await expect(rows).toHaveCount(2, { timeout: 1_000 });
  }).toPass();
  const filter = page.getByRole("searchbox");
  await filter.fill("apple");
  await filter.press("Enter");
  await expect(page).toHaveURL(/[?&]filter=apple/);
  await expect(rows).toHaveCount(1);
  await expect(rows).toHaveAttribute("data-place", apple);
  await expect(filter).toHaveValue("apple");
  await filter.fill("json:$.a>x");
  await page.getByRole("button", { name: "Apply" }).last().click();
  await expect(filter).toHaveAccessibleDescription(/compare with a number/);
  await expect(rows).toHaveCount(2);
  expect(pear).not.toBe(apple);
  await context.close();
});

test("Enter in the filter box loads no page", async ({ start, open }) => {
  const ottla = await start();
  const tab = await open(ottla.url);
  await tab.page.evaluate(() => Object.assign(window, { sameDocument: true }));
  await tab.page.getByRole("searchbox").fill("apple");
  await tab.page.keyboard.press("Enter");
  await expect(tab.page).toHaveURL(/filter=apple/);
  expect(await tab.page.evaluate(() => "sameDocument" in window)).toBe(true);
});

test("an expression is judged by the server, and what can't be read is shown at the filter box", async ({ start, open, topic }) => {
  const ottla = await start();
  const tab = await open(ottla.url);
  const filter = tab.page.getByRole("searchbox");
  const one = place(await ottla.produce(topic, '{"total":1}'));
  const two = place(await ottla.produce(topic, '{"total":2}'));
  const text = place(await ottla.produce(topic, "no JSON"));
  await tab.showsExactly([one, two, text]);

  await filter.fill("where:value.total > 1");
  await tab.showsExactly([two]);
  await expect(tab.page.locator("#found")).toHaveText("1 of 3 match · 1 could not be judged");
  await expect(filter).not.toHaveAttribute("aria-invalid", "true");

  for (const [wrong, message] of [
    ["where:valeu.total > 1", /At character 7: unknown: valeu/],
    ["json:$.total>x", /At character 14: compare with a number/],
  ] as const) {
    await filter.fill(wrong);
    await expect(filter).toHaveAttribute("aria-invalid", "true");
    await expect(filter).toHaveAccessibleDescription(message);
    await expect(tab.connection).toHaveAttribute("data-state", "live");
  }
  await filter.fill("-json:$.total=1");
  await expect(filter).not.toHaveAttribute("aria-invalid", "true");
  await tab.showsExactly([two, text]);

  await tab.page.getByRole("button", { name: "How to filter" }).click();
  await expect(tab.page.getByRole("dialog", { name: "How to filter" })).toBeVisible();
});

test("clear empties the view, and what comes next appears", async ({ start, open, topic }) => {
  const ottla = await start();
  const tab = await open(ottla.url);
  await tab.showsExactly(await ottla.produceMany(topic, "before", 3));
  await tab.page.getByRole("button", { name: "Clear", exact: true }).click();
  await tab.showsExactly([]);
  await tab.showsExactly(await ottla.produceMany(topic, "after", 2));
});

test("a busy list's rows become those of other records, and say nothing of the ones before", async ({ start, open, topic }) => {
  await createTopic(topic, 1);
  const ottla = await start();
  const tab = await open(ottla.url);
  await tab.page.setViewportSize({ width: 1440, height: 900 });
  const records = (count: number, from = 0) => Array.from({ length: count }, (_, n) => `n:${from + n}\tk-${from + n}\tv-${from + n}`);
  await consoleProduce(topic, records(100));
  await expect(tab.row(`${topic}[0]@99`)).toHaveCount(1);
  await tab.page.evaluate(() => {
    const seen = { changed: 0 };
    Object.assign(window, { seen });
    const rows = document.querySelector("#lines");
    if (rows) new MutationObserver((all) => (seen.changed += all.length)).observe(rows, { subtree: true, attributeFilter: ["data-place"] });
  });
  await consoleProduce(topic, records(4_000, 100));
  await expect(tab.row(`${topic}[0]@4099`)).toHaveCount(1);
  expect(await tab.page.evaluate(() => (window as unknown as { seen: { changed: number } }).seen.changed)).toBeGreaterThan(0);
  const shown = await tab.rows.evaluateAll((rows) =>
    rows.map((row) => ({
      place: (row as HTMLElement).dataset.place,
      number: row.getAttribute("aria-rowindex"),
      at: row.querySelector(".at")?.textContent,
      link: row.querySelector("a")?.getAttribute("href"),
      key: row.querySelector(".key")?.textContent,
      value: row.querySelector(".val")?.textContent,
    })),
  );
  expect(shown.length).toBeGreaterThan(20);
  for (const [index, row] of shown.entries()) {
    const offset = 4_099 - index;
    const at = `${topic}[0]@${offset}`;
    expect(row).toEqual({ place: at, number: `${index + 2}`, at, link: `/topics/${topic}/0/${offset}`, key: `k-${offset}`, value: `v-${offset}` });
  }
  await tab.row(`${topic}[0]@4098`).click();
  await expect(tab.page.locator("#drawer")).toContainText("v-4098");
});

test("an empty feed says so", async ({ start, open }) => {
  const ottla = await start();
  const tab = await open(ottla.url);
  await expect(tab.page.getByText(/no messages/i).first()).toBeVisible();
});

test("a tab that nobody looks at is sent counters only, and has everything when somebody does", async ({ start, open, topic }) => {
  test.slow();
  const ottla = await start();
  const tab = await open(ottla.url);
  const before = await ottla.produceMany(topic, "before", 3);
  await tab.showsExactly(before);
  await hide(tab.page, true);
  await tab.page.waitForTimeout(11_000);
  const meanwhile = await ottla.produceMany(topic, "meanwhile", 12);
  // The counters go on, the rows don't.
  await expect(tab.page.locator('[data-count="consumed"]')).toHaveText("15");
  expect((await tab.places()).length).toBe(before.length);
  await hide(tab.page, false);
  await tab.showsExactly([...before, ...meanwhile]);
});
