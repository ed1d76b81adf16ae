// Every page in Chinese: no English word is left on it but those that are the same in all languages.
import { everyPage } from "../support/pages.ts";
import { expect, test } from "../support/test.ts";

/// Names, units, formats, what is typed as it stands, and Kafka's own words for states and protocols.
const SAME_EVERYWHERE = new Set(
  (
    "Ottla Kafka KRaft ZooKeeper JavaScript JSON Lines CSV UTC UTF UUID ID CEL ASCII KiB MiB GiB ms min base64 null true false KIP API POST Ctrl Esc Enter Space Broker broker " +
    "English default classic consumer curl topic partition offset key value headers timestamp where header NAME json total name text delete GMT"
  ).split(" "),
);

for (const [language, own] of [
  ["zh-Hant", "群組"],
  ["zh-Hans", "消费者组"],
] as const) {
  test(`no page is half in English, ${language}`, async ({ start, browser, topic }) => {
    test.setTimeout(120_000);
    const ottla = await start();
    await ottla.produce(topic, "4711", { partition: 0 });
    const context = await browser.newContext({ locale: language });
    await context.addCookies([{ name: "lang", value: language, url: ottla.url }]);
    const page = await context.newPage();
    for (const path of everyPage(topic, `g-${topic}`)) {
      await page.goto(ottla.url + path);
      await expect(page.locator("html[data-hydrated]")).toBeAttached();
      await expect(page.locator("html")).toHaveAttribute("lang", language);
      const texts = await page.evaluate(() => {
        // What stands there as it is typed, what another program said, and names.
        const AS_IT_IS = ".mono, .inst, code, pre, kbd, script, style, noscript, svg, textarea, .source, [lang]:not(html), .key, .val, .json";
        const found: string[] = [document.title];
        const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        for (let node = walker.nextNode(); node; node = walker.nextNode()) {
          if (!node.parentElement?.closest(AS_IT_IS)) found.push(node.textContent ?? "");
        }
        for (const element of document.querySelectorAll("[aria-label], [title], [placeholder]")) {
          // A setting's name is in what its link is called.
          if (element.closest("svg, [data-serving], .inst, #config td")) continue;
          for (const name of ["aria-label", "title", "placeholder"]) found.push(element.getAttribute(name) ?? "");
        }
        return found.map((text) => text.trim()).filter(Boolean);
      });
      expect(texts.join(" "), path).toContain(own);
      const names = [topic, "ottla-1", "no-such-topic", "no-such-group", "ottla.marks", "ottla.events", "InventoryConsumerGroup"];
      const foreign = texts.flatMap((text) => {
        // Names of settings are with dots, and of files, paths and places.
        const rest = names.reduce((rest, name) => rest.replaceAll(name, ""), text).replaceAll(/[a-z0-9]*([._-][a-z0-9]+)+/g, "");
        const words = rest.match(/\b[A-Za-z]{2,}[A-Za-z0-9]*/g) ?? [];
        return words.filter((word) => !SAME_EVERYWHERE.has(word)).map((word) => `${word} (${text.slice(0, 60)})`);
      });
      expect.soft([...new Set(foreign)], path).toEqual([]);
      // As it is read, over the borders of elements: no half-width mark stands at a Chinese character.
      const lines = (await page.locator("body").innerText()).split("\n");
      const halves = lines.filter((line) => /\p{Script=Han} ?[,;:!?]|\p{Script=Han}\.(?!\S)|[,.;:!?] ?\p{Script=Han}/u.test(line));
      expect.soft(halves, path).toEqual([]);
    }
    await context.close();
  });
}

test("a moment is also there as the reader's language writes it", async ({ start, browser, topic }) => {
  const ottla = await start();
  await ottla.produce(topic, "when", { partition: 0 });
  for (const [language, name, words] of [
    ["en", "en", /^[A-Z][a-z]+day, .* at .*/],
    // The page has English; how it writes a date is its reader's.
    ["en-GB", "en", /^[A-Z][a-z]+day,? \d+ [A-Z][a-z]+ \d{4}/],
    ["zh-Hant", "zh-Hant", /年.*月.*日 ?星期/],
    ["zh-Hans", "zh-Hans", /年.*月.*日 ?星期/],
  ] as const) {
    const context = await browser.newContext({ locale: language, timezoneId: "Asia/Taipei" });
    await context.addCookies([{ name: "lang", value: name, url: ottla.url }]);
    const page = await context.newPage();
    const moment = page.locator("time[data-full]").first();
    // The record's page, which the server wrote, and the drawer, which the browser did.
    for (const path of [`/topics/${topic}/0/0`, "/"]) {
      await page.goto(ottla.url + path);
      await expect(page.locator("html[data-hydrated]")).toBeAttached();
      if (path === "/") await page.locator("[role=row][data-place]").first().click();
      await expect(moment).toHaveText(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \+08:00$/);
      await expect(moment).toHaveAttribute("title", words);
    }
    await context.close();
  }
});
