// Records as files and on the clipboard: one of them, and what the list holds.
import { readFile } from "node:fs/promises";
import type { Download, Page } from "@playwright/test";
import { place } from "../support/ottla.ts";
import { expect, test } from "../support/test.ts";

async function text(download: Download): Promise<string> {
  return readFile(await download.path(), "utf8");
}

/// What the browser saves when the rows are asked for in this form.
async function rows(page: Page, form: string): Promise<Download> {
  const saved = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download these rows" }).click();
  await page.getByRole("dialog", { name: "Download these rows" }).getByRole("button", { name: form }).click();
  const download = await saved;
  await page.keyboard.press("Escape");
  return download;
}

test("a record is downloaded whole, and copied, from the drawer and without JavaScript from its page", async ({ start, open, browser, topic }) => {
  const ottla = await start();
  const large = `{"big":"${"x".repeat(200_000)}","n":9007199254740993}`;
  const sent = await ottla.produce(topic, large, { key: "k-1" });
  const tab = await open(ottla.url);
  await tab.page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await tab.row(place(sent)).click();
  const drawer = tab.page.getByRole("complementary").filter({ hasText: place(sent) });

  const save = async (name: string) => {
    const download = tab.page.waitForEvent("download");
    await drawer.getByRole("link", { name, exact: true }).click();
    return download;
  };
  const json = await save("JSON");
  expect(json.suggestedFilename()).toBe(`${topic}-${sent.partition}-${sent.offset}.json`);
  const record = JSON.parse(await text(json));
  expect(record).toMatchObject({ topic, offset: sent.offset, key: { text: "k-1" }, value: { text: large }, consumed_by: null });
  expect((await text(await save("CSV"))).split("\r\n")).toHaveLength(3);
  expect(await text(await save("Value"))).toBe(large);

  const clipboard = () => tab.page.evaluate(() => navigator.clipboard.readText());
  await drawer.getByRole("button", { name: "Copy JSON" }).click();
  await expect.poll(async () => JSON.parse((await clipboard()) || "{}").value?.text).toBe(large);
  // Only its head is here, and all of it is copied.
  await drawer.getByRole("button", { name: "Copy", exact: true }).click();
  await expect.poll(clipboard).toBe(large);

  const plain = await browser.newContext({ javaScriptEnabled: false });
  const page = await plain.newPage();
  await page.goto(`${ottla.url}/topics/${topic}/${sent.partition}/${sent.offset}`);
  const download = page.waitForEvent("download");
  await page.getByRole("link", { name: "Value", exact: true }).click();
  expect(await text(await download)).toBe(large);
  await page.goto(`${ottla.url}/topics/${topic}/${sent.partition}/999/json`);
  await expect(page.getByRole("main")).toContainText("999");
  await plain.close();
});

test("what the list holds under its filter is downloaded as JSON Lines and as CSV", async ({ start, open, topic }) => {
  const ottla = await start();
  const tab = await open(ottla.url);
  const values = ['{"n":9007199254740993}', "=1+1", 'a "b",\nc', `keep ${"x".repeat(40_000)}`];
  const places = [];
  for (const value of values) places.push(place(await ottla.produce(topic, value, { partition: 0 })));
  await ottla.produce(topic, "left out", { partition: 0 });
  await tab.page.getByRole("searchbox").fill("-value:left");
  await tab.showsExactly(places);

  const lines = await rows(tab.page, "JSON Lines");
  expect(lines.suggestedFilename()).toMatch(/^default-\d{8}T\d{6}Z\.jsonl$/);
  const records = (await text(lines)).trimEnd().split("\n").map((line) => JSON.parse(line));
  expect(records.map(({ topic, partition, offset }) => `${topic}[${partition}]@${offset}`)).toEqual(places);
  expect(records.map(({ consumed_by }) => consumed_by)).toEqual(Array(4).fill("ottla-1"));
  expect(records.slice(0, 3).map(({ value }) => value.text)).toEqual(values.slice(0, 3));
  expect(records[3].value).toEqual({ text: values[3]?.slice(0, 32 * 1024), size: "40005" });

  const csv = await text(await rows(tab.page, "CSV"));
  expect(csv.startsWith("\ufefftopic,partition,offset,")).toBe(true);
  expect(csv).toContain(",guarded,'=1+1,");
  expect(csv).toContain(',"a ""b"",\nc",');
  expect(csv).toContain("value: 32768 of 40005 bytes");
  // The composer in the same page was not sent, and the list is as it was.
  await tab.showsExactly(places);
  await expect(tab.receipt).toHaveCount(0);
});
