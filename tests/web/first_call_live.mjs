// The live page during the story of tests/wire/first_call.rs, which starts this: two customers behind a real carrier, one
// reaches Anna, the other waits and leaves a message. Opened before the first call and never loaded again.
import { launch, login, visit } from './browser.mjs';

/** The whole story takes less than a minute; a busy machine gets twice that. */
const STORY_MS = 120_000;

const browser = await launch();
const seat = await visit(browser, { url: process.env.BELFRY_URL });
const { page } = seat;
page.setDefaultTimeout(STORY_MS);
await login(seat, process.env.BELFRY_USER, process.env.BELFRY_PASSWORD);
await seat.go('/calls');
await page.getByText('No call at the moment').waitFor();
console.log('reading');

// What the page shows of each customer, one after the other; whoever reads the log of a failure sees how far it came.
const follow = async (number, ...shown) => {
  const row = page.getByRole('row').filter({ hasText: number });
  for (const text of shown) {
    await row.getByText(text, { exact: true }).waitFor();
    console.log(`${number}: ${text}`);
  }
};
await Promise.all([
  follow('+49301111', 'In the menu', 'Talking', 'Recording'),
  follow('+49302222', 'In the menu', 'Waiting in queue', 'Leaving a message'),
]);
await page.getByText('No call at the moment').waitFor();
await seat.close();
await browser.close();
