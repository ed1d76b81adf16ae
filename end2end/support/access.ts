// What every page is held to: what axe finds, and that nothing is cut off or scrolls sideways.
import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect } from "./test.ts";

export async function axeFindsNothing(page: Page, what: string) {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const found = violations.map(
    ({ id, impact, nodes }) => `${id} (${impact}): ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join("; ")}`,
  );
  expect(found, what).toEqual([]);
}

/// Nothing reaches beyond what cuts it off, be that the window or a box around it; and nothing scrolls sideways but what is meant to.
/// A text that ends in an ellipsis says that there is more; what is only read out is not looked at.
export async function scrollsNothingSideways(page: Page, what: string) {
  const beyond = await page.evaluate(() => {
    const MEANT = ".strip, .seg, .code, .scroll, pre, textarea, input, select";
    const name = (element: Element) => element.outerHTML.slice(0, 160);
    // An absolutely positioned element is cut off by what it is placed in, not by what it stands in.
    const around = (element: HTMLElement) => (getComputedStyle(element).position === "absolute" ? (element.offsetParent as HTMLElement | null) : element.parentElement);
    /// How far it reaches, with the text that runs out of it.
    const reach = (element: HTMLElement) => {
      const { left, right } = element.getBoundingClientRect();
      const hasText = [...element.childNodes].some((node) => node instanceof Text && node.data.trim());
      const runsOut = hasText && getComputedStyle(element).overflowX === "visible";
      return { left, right: runsOut ? Math.max(right, left + element.clientLeft + element.scrollWidth) : right };
    };
    const found: string[] = [];
    const root = document.documentElement;
    if (root.scrollWidth > root.clientWidth) found.push(`the page scrolls by ${root.scrollWidth - root.clientWidth}`);
    for (const element of document.querySelectorAll<HTMLElement>("body, body *")) {
      if (!(element instanceof HTMLElement) || element.getClientRects().length === 0) continue;
      const own = getComputedStyle(element);
      if (own.clipPath !== "none") continue;
      if (/auto|scroll/.test(own.overflowX) && element.scrollWidth > element.clientWidth + 1 && !element.matches(MEANT)) {
        found.push(`scrolls by ${element.scrollWidth - element.clientWidth}: ${name(element)}`);
      }
      const { left, right } = reach(element);
      let box = own.position === "fixed" ? null : around(element);
      for (; box; box = around(box)) {
        const style = getComputedStyle(box);
        if (style.clipPath !== "none" || /auto|scroll/.test(style.overflowX)) break;
        if (style.overflowX === "visible" && !/strict|content|paint/.test(style.contain)) continue;
        const edge = box.getBoundingClientRect();
        const isCut = right > edge.right + 1 || left < edge.left - 1;
        if (isCut && style.textOverflow !== "ellipsis") found.push(`cut off by ${name(box).slice(0, 60)}: ${name(element)}`);
        break;
      }
      if (!box && (right > root.clientWidth + 1 || left < -1)) found.push(`out of the window: ${name(element)}`);
    }
    return found.slice(0, 12);
  });
  expect(beyond, what).toEqual([]);
}
