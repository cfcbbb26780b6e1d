// The pages after the story of tests/wire/first_call.rs, which starts this: each customer is one line of the history that
// opens into the steps of the call; the recording and the message are heard.
import assert from 'node:assert/strict';
import { launch, login, visit } from './browser.mjs';

const browser = await launch();
const seat = await visit(browser, { url: process.env.BELFRY_URL });
const { page } = seat;
await login(seat, process.env.BELFRY_USER, process.env.BELFRY_PASSWORD);
await seat.go('/history');

const journey = page.locator('.journey');
const open = async (number, outcome) => {
  const line = page.getByRole('row').filter({ hasText: number });
  await line.getByText(outcome).waitFor();
  await line.getByRole('button', { name: 'Show' }).click();
  await journey.locator('ol li').first().waitFor();
  return { line, steps: (await journey.locator('ol li').allInnerTexts()).join('\n') };
};
const plays = async () => {
  await page.getByRole('button', { name: 'Play', exact: true }).click();
  await page.waitForFunction(() => (document.querySelector('audio')?.currentTime ?? 0) > 0.5);
};

const first = await open('+49301111', 'Answered');
assert.match(first.steps, /carrier[^]*“welcome”[^]*pressed 1[^]*“sales”[^]*Rang [^]*answered[^]*Recording[^]*Ended/);
await plays();
await first.line.getByRole('button', { name: 'Hide' }).click();
const second = await open('+49302222', 'Voicemail');
assert.match(second.steps, /pressed 1[^]*“sales”[^]*Left the queue[^]*Left a message/);

await seat.go('/voicemail');
const message = page.getByRole('row').filter({ hasText: '+49302222' });
await message.getByText('New').waitFor();
await message.getByRole('button', { name: 'Show' }).click();
await plays();
await message.getByText('Heard').waitFor();
await seat.close();
await browser.close();
