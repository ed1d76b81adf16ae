// Many messages at once, and a record once more: by keyboard, with a file, on a phone, without JavaScript.
import { axeFindsNothing, scrollsNothingSideways } from "../support/access.ts";
import { consoleConsume } from "../support/kafka.ts";
import { expect, test } from "../support/test.ts";

test("many messages are typed, one is mended, and Kafka's own consumer reads them in their order", async ({ start, page, topic }) => {
  const ottla = await start();
  await page.goto(`${ottla.url}/produce`);
  await page.getByRole("link", { name: "Many at once" }).click();
  const form = page.locator("#bulk");
  await expect(form.locator("[name=topic]")).toHaveValue(topic);
  await form.locator("[name=partition]").fill("1");
  await form.getByText("JSON lines").click();
  await form.locator("[name=text]").fill('{"key":"a","value":"one"}\n{"key":"b","valeu":"two"}\n{"key":"c","value":{"json":{"n":9007199254740993}}}');
  await form.getByRole("button", { name: "Send all" }).click();
  const results = page.locator("#results tbody tr");
  await expect(results).toHaveCount(3);
  await expect(results.first()).toContainText("A value is required");
  await expect(page.getByRole("alert")).toContainText("Nothing was sent. Wrong messages: 1 of 3.");
  const text = form.locator("[name=text]");
  await text.fill((await text.inputValue()).replace("valeu", "value"));
  await form.getByRole("button", { name: "Send all" }).click();
  await expect(page.getByRole("status").filter({ hasText: "All messages are stored: 3." })).toBeVisible();
  await expect(text).toHaveValue("");
  await expect(results.nth(1)).toContainText(`${topic}[1]@1`);
  const records = await consoleConsume(topic, 3);
  expect(records.map(({ value }) => value)).toEqual(["one", "two", '{"n":9007199254740993}']);
});

for (const scheme of ["light", "dark"] as const) {
  test(`a file is sent without JavaScript; axe finds nothing and nothing is sideways, ${scheme}`, async ({ start, browser, topic }) => {
    const ottla = await start();
    const context = await browser.newContext({ javaScriptEnabled: false, colorScheme: scheme, viewport: { width: 390, height: 844 } });
    const page = await context.newPage();
    await page.goto(`${ottla.url}/produce/many`);
    await page.locator("[name=topic]").fill(topic);
    // Nothing is chosen: the file's name says that it is a table.
    const table = `key,value,header:trace\na,${"x".repeat(400)},t-1\nb,"two\nlines",\n`;
    await page.locator("[name=file]").setInputFiles({ name: "orders.csv", mimeType: "text/csv", buffer: Buffer.from(table) });
    await page.getByRole("button", { name: "Send all" }).click();
    await expect(page.locator("#results tbody tr")).toHaveCount(2);
    await expect(page.getByText("All messages are stored: 2.")).toBeVisible();
    await context.close();

    // axe and the width need a script of their own.
    const scripted = await browser.newContext({ colorScheme: scheme, viewport: { width: 390, height: 844 } });
    const other = await scripted.newPage();
    await other.goto(`${ottla.url}/produce/many`);
    await other.locator("[name=text]").fill(`ok\n${"y".repeat(400)}`);
    await other.locator("[name=partition]").fill("99");
    await other.getByRole("button", { name: "Send all" }).click();
    await expect(other.locator("#partition")).toHaveAttribute("aria-invalid", "true");
    await scrollsNothingSideways(other, scheme);
    await axeFindsNothing(other, scheme);
    await scripted.close();
  });
}

test("a record is sent again from the feed's drawer, and edited with its bytes", async ({ start, open, topic }) => {
  const ottla = await start();
  const answer = await fetch(`${ottla.url}/api/v1/topics/${topic}/records/bulk`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify([{ key: "k", value: "again", headers: [{ name: "trace", value: { base64: "AP8=" } }, { name: "none", value: null }] }]),
  });
  expect(answer.status).toBe(201);
  const tab = await open(ottla.url);
  await expect(tab.rows).toHaveCount(1);
  await tab.rows.first().click();
  const [popup] = await Promise.all([tab.page.context().waitForEvent("page"), tab.page.getByRole("button", { name: "Send again" }).click()]);
  await expect(popup.getByText("Sent again.")).toBeVisible();
  await popup.close();
  // The list stands still while a message is open in it.
  await tab.page.bringToFront();
  await expect(tab.page.getByRole("button", { name: "1 new" })).toBeVisible();

  await tab.page.getByRole("link", { name: "Edit and send" }).click();
  const form = tab.page.locator("form#produce");
  await expect(tab.page.locator("html[data-hydrated]")).toBeAttached();
  await expect(form.locator("[name=header_value]").first()).toHaveValue("AP8=");
  await expect(form.locator("[name=header_encoding]").first()).toHaveValue("base64");
  await expect(form.locator("[name=header_encoding]").nth(1)).toHaveValue("null");
  await form.locator("[name=value]").fill("edited");
  await form.getByRole("button", { name: "Add header" }).click();
  await form.locator("[name=header_name]").last().fill("added");
  await form.locator("[name=header_value]").last().fill("?");
  await form.locator("[name=header_encoding]").last().selectOption("base64");
  await form.getByRole("button", { name: /^Send/ }).click();
  await expect(form.locator("[name=header_name]").last()).toHaveAttribute("aria-invalid", "true");
  await form.locator("[name=header_value]").last().fill("/w==");
  await form.getByRole("button", { name: /^Send/ }).click();
  await expect(tab.page.locator("[data-receipt]").first()).toBeVisible();
  const place = /\[(\d+)\]@(\d+)/.exec((await tab.page.locator("[data-receipt]").first().getAttribute("data-receipt")) ?? "");
  const stored = (await (await fetch(`${ottla.url}/api/v1/topics/${topic}/${place?.[1]}/${place?.[2]}`)).json()) as { value: unknown; headers: unknown };
  expect(stored.value).toEqual({ text: "edited" });
  expect(stored.headers).toEqual([
    { name: "trace", value: { base64: "AP8=" } },
    { name: "none", value: null },
    { name: "added", value: { base64: "/w==" } },
  ]);
});
