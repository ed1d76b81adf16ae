// Producing by form: the whole form, what it refuses and how it says so.
import { consoleConsume } from "../support/kafka.ts";
import { expect, test } from "../support/test.ts";

test("the form sends every part of a message, and Kafka's own consumer reads it back", async ({ start, page, topic }) => {
  const ottla = await start();
  await page.goto(`${ottla.url}/produce`);
  await expect(page.locator("html[data-hydrated]")).toBeAttached();
  const form = page.getByRole("main").locator("form").first();
  await form.locator("[name=topic]").fill(topic);
  await form.locator("[name=key]").fill("客戶-1");
  await form.locator("[name=partition]").fill("2");
  await form.locator("[name=value]").fill("請於週末配送");
  await form.locator("[name=header_name]").first().fill("source");
  await form.locator("[name=header_value]").first().fill("page");
  await form.getByRole("button", { name: /send/i }).click();
  await expect(page.locator(`[data-receipt="${topic}[2]@0"]`)).toBeVisible();

  const [record] = await consoleConsume(topic, 1);
  expect(record).toEqual({ partition: 2, offset: 0, headers: "source:page", key: "客戶-1", value: "請於週末配送" });
});

test("messages from the feed's composer are read back by Kafka's own consumer", async ({ start, open, topic }) => {
  const ottla = await start();
  const tab = await open(ottla.url);
  const values = ["plain", '{"n":9007199254740993}', "中文訊息", "  spaces  ", "<b>&amp;</b>"];
  const sent = [];
  for (const value of values) sent.push(await tab.send(value, `key of ${value}`));
  const records = await consoleConsume(topic, values.length);
  expect(records.map(({ partition, offset }) => `${topic}[${partition}]@${offset}`).sort()).toEqual([...sent].sort());
  expect(records.map(({ value }) => value).sort()).toEqual([...values].sort());
  for (const { key, value } of records) expect(key).toBe(`key of ${value}`);
});

test("a message without a key gets a UUID", async ({ start, open, topic }) => {
  const ottla = await start();
  const tab = await open(ottla.url);
  await tab.send("no key given");
  const [record] = await consoleConsume(topic, 1);
  expect(record?.key).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
});

test("an empty message needs an explicit choice", async ({ start, open }) => {
  const ottla = await start();
  const tab = await open(ottla.url);
  await tab.composer.getByRole("button", { name: /send/i }).click();
  await expect(tab.message).toHaveAttribute("aria-invalid", "true");
  await expect(tab.message).toBeFocused();
  await expect(tab.composer.locator(".error")).toBeVisible();
  await expect(tab.receipt).toHaveCount(0);
  await expect(tab.rows).toHaveCount(0);
});

test("every field that is wrong is named, the first gets the focus, and nothing typed is lost", async ({ start, page, topic }) => {
  const ottla = await start();
  await page.goto(`${ottla.url}/produce`);
  await expect(page.locator("html[data-hydrated]")).toBeAttached();
  const form = page.getByRole("main").locator("form").first();
  await form.locator("[name=topic]").fill("not a topic");
  await form.locator("[name=partition]").fill("-1");
  await form.locator("[name=value_encoding][value=json]").check({ force: true });
  await form.locator("[name=value]").fill('{"total": 12,}');
  await form.getByRole("button", { name: /send/i }).click();
  for (const name of ["topic", "partition", "value"]) {
    const field = form.locator(`[name=${name}]`);
    await expect(field).toHaveAttribute("aria-invalid", "true");
    const described = (await field.getAttribute("aria-describedby"))?.split(" ")[0] ?? "";
    await expect(form.locator(`#${described}`)).toBeVisible();
  }
  await expect(form.locator("[name=topic]")).toBeFocused();
  await expect(form.locator("[name=value]")).toHaveValue('{"total": 12,}');

  // A topic and a partition that only Kafka knows not to exist.
  await form.locator("[name=topic]").fill(topic);
  await form.locator("[name=partition]").fill("99");
  await form.locator("[name=value]").fill("{}");
  await form.getByRole("button", { name: /send/i }).click();
  await expect(form.locator("[name=partition]")).toHaveAttribute("aria-invalid", "true");
  await form.locator("[name=topic]").fill("no-such-topic");
  await form.locator("[name=partition]").fill("");
  await form.getByRole("button", { name: /send/i }).click();
  await expect(form.locator("[name=topic]")).toHaveAttribute("aria-invalid", "true");
});

test("an oversized message is refused with both sizes", async ({ start, page, topic }) => {
  const ottla = await start();
  await page.goto(`${ottla.url}/produce`);
  await expect(page.locator("html[data-hydrated]")).toBeAttached();
  const form = page.getByRole("main").locator("form").first();
  await form.locator("[name=topic]").fill(topic);
  await form.locator("[name=value]").fill("x".repeat(1_000_001));
  await form.getByRole("button", { name: /send/i }).click();
  await expect(form.locator("[name=value]")).toHaveAttribute("aria-invalid", "true");
});

test("programs get a problem that names the field and the rule", async ({ start, request, topic }) => {
  const ottla = await start();
  const send = (query: string, data: string) =>
    // Bytes, sent as they are: Playwright would put a string that is not JSON into quotes.
    request.post(`${ottla.url}/api/kafka/send?${query}`, { data: Buffer.from(data), headers: { "content-type": "application/json" } });

  const good = await send(`topic=${topic}`, '"hello"');
  expect(good.status()).toBe(200);
  expect(await good.json()).toMatchObject({ topic, offset: "0" });

  for (const [query, data, status, names] of [
    ["topic=a%20b", '"x"', 422, "topic"],
    ["topic=no-such-topic", '"x"', 422, "topic"],
    [`topic=${topic}&partition=99`, '"x"', 422, "partition"],
    [`topic=${topic}`, "not json", 400, "JSON"],
  ] as const) {
    const bad = await send(query, data);
    expect(bad.status(), `${query} ${data}`).toBe(status);
    expect(bad.headers()["content-type"]).toContain("application/problem+json");
    expect(await bad.text()).toContain(names);
  }
});

test("no other site can send", async ({ start, request, topic }) => {
  const ottla = await start();
  const foreign: Record<string, string>[] = [{ origin: "https://evil.example.org" }, { host: "evil.example.org" }];
  for (const headers of foreign) {
    const response = await request.post(`${ottla.url}/api/kafka/send?topic=${topic}`, {
      data: '"x"',
      headers: { "content-type": "application/json", ...headers },
    });
    expect(response.ok()).toBe(false);
  }
});
