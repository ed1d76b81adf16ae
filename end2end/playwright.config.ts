// How the end-to-end tests run: real instances of Ottla, a real Kafka, a real Chromium. `make test` calls it; alone it needs
// a build (scripts/build.sh) and starts a Kafka itself.
import { defineConfig, devices } from "@playwright/test";
import { launchOptions } from "./support/chromium.ts";

export default defineConfig({
  testDir: "tests",
  outputDir: "test-results",
  globalSetup: "./support/cluster.ts",
  // The tests measure and kill processes on a machine of two cores: one at a time. (Two took two thirds of the time, and pages missed
  // the 300 ms that they wait for Kafka.)
  workers: 1,
  fullyParallel: false,
  forbidOnly: !!process.env.CI,
  timeout: 60_000,
  // Cores that others share: a test that passes the second time is reported as flaky.
  retries: 1,
  expect: { timeout: 10_000 },
  reporter: [["list"], ["json", { outputFile: "test-results/report.json" }]],
  use: {
    ...devices["Desktop Chrome"],
    locale: "en-GB",
    timezoneId: "Europe/Berlin",
    viewport: { width: 1440, height: 900 },
    // A trace takes as much processor time as the test.
    trace: "on-first-retry",
    screenshot: "only-on-failure",
    launchOptions,
  },
});
