// Records written by programs that are not ours appear live, each in the tabs of the instance that consumed it, whatever
// they hold.
import { consoleProduce, createTopic, pythonProduce, pythonTransactions } from "../support/kafka.ts";
import { expect, test } from "../support/test.ts";

test("Kafka's console producer and confluent-kafka write, two instances show each record once", async ({ start, open, topic }) => {
  test.slow();
  await createTopic(topic);
  const [one, two] = [await start(), await start()];
  const [a, b] = [await open(one.url, "instance"), await open(two.url, "instance")];

  const byConsole = ['source:console\tcust-1\t{"orderId":"c-1"}', "source:console\tcust-2\tplain text", "source:console,n:2\t客戶-3\t請於週末配送"];
  await consoleProduce(topic, byConsole);
  const byPython = await pythonProduce(topic);

  const places = async () => [...(await a.places()), ...(await b.places())];
  await expect.poll(async () => (await places()).length, { timeout: 30_000 }).toBe(byConsole.length + byPython.length);
  const shown = await places();
  expect(new Set(shown).size).toBe(shown.length);
  for (const { name, place } of byPython) expect(shown, name).toContain(place);

  /// The row, in whichever of the two tabs it is.
  const row = async (name: string) => {
    const found = byPython.find((record) => record.name === name)?.place ?? "";
    return (await a.row(found).count()) ? a.row(found) : b.row(found);
  };
  await expect(await row("json")).toContainText("9007199254740993");
  await expect(await row("text")).toContainText("plain text");
  await expect(await row("chinese")).toContainText("請於週末配送，謝謝");
  await expect(await row("chinese")).toContainText("客戶-3");
  await expect((await row("binary")).locator(".val")).toContainText("00 01 fe ff 80");
  await expect((await row("binary")).locator(".key")).toContainText("00 ff 01");
  await expect((await row("invalid utf-8")).locator(".val")).toContainText("63 61 66 e9");
  await expect((await row("empty")).locator(".val")).toContainText("empty");
  await expect((await row("tombstone")).locator(".val")).toContainText("null");
  await expect((await row("tombstone")).locator(".val")).not.toContainText("empty");
  await expect((await row("no key")).locator(".key")).not.toContainText("empty");
  await expect((await row("empty key")).locator(".key")).toContainText("empty");
  await expect((await row("markup")).locator(".val")).toContainText("<b onclick=alert(1)>not bold</b> & </script>");

  // Headers, in order, twice the same name, null and bytes: on the record's own page, served by either instance.
  const [, partition, offset] = (byPython.find(({ name }) => name === "headers")?.place ?? "").split(/[[\]@]+/);
  for (const { url } of [one, two]) {
    await a.page.goto(`${url}/topics/${topic}/${partition}/${offset}`);
    const main = a.page.getByRole("main");
    for (const text of ["source", "python", "twice", "null", "raw", "ff 00"]) await expect(main).toContainText(text);
    await expect(main.getByText("twice", { exact: true })).toHaveCount(2);
  }
});

test("what transactions leave in the log is told apart from loss", async ({ start, open, topic }) => {
  await createTopic(topic);
  const one = await start();
  const tab = await open(one.url);
  const committed = await pythonTransactions(topic);
  await expect(tab.rows).toHaveCount(committed);
  await expect(tab.rows.filter({ hasText: "transaction 1" })).toHaveCount(0);
  // Between the committed records: the first one's marker, five aborted records and their marker.
  await tab.page.goto(`${one.url}/groups/g-${topic}`);
  const audit = tab.page.getByRole("row").filter({ hasText: "7 seen empty" });
  await expect(audit).toContainText(committed.toString());
  const missing = tab.page.getByRole("columnheader", { name: "missing" });
  await expect(missing).toHaveCount(1);
  await expect(audit.locator("[data-tone=danger]")).toHaveCount(0);
});
