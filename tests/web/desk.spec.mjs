// The agent’s desk, the supervisor’s page, the wall and the reports, as people use them: who calls is known while it
// rings, one tab steers, a screen on the wall needs no sign-in, and afterwards the call stands in the report.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SITE } from './box.mjs';
import { login, visit } from './browser.mjs';
import { Phone } from './phone.mjs';
import { scene } from './scene.mjs';

const SITE_WITH_SCRIPT = SITE.replace(
  'overflow = "voicemail:101"',
  'overflow = "voicemail:101"\nscript = ["Good morning, Harbour Office.", "Ask for the customer number."]',
).replace('[system]', '[system]\ncontact_page = "https://crm.example.com/?n={number}&who={name}"');

let browser;
let box;
let phones;
scene((it) => ({ browser, box, phones } = it), {
  site: SITE_WITH_SCRIPT,
  people: [['anna', 'agent', { agent: '102', extension: '102' }]],
  phones: ['101', '102'],
});

test('contacts are imported, each refused line is told, and found again', async () => {
  const seat = await visit(browser, box);
  const { page } = seat;
  await login(seat);
  await seat.go('/contacts');
  await page.getByText('No contacts yet').waitFor();
  await page.getByRole('button', { name: 'Import a list' }).click();
  const list = 'name,company,number,class\nLi Na,Harbour Tea,101,vip\nBo,,call me,\n';
  await page.getByLabel('Choose a file').setInputFiles({ name: 'list.csv', mimeType: 'text/csv', buffer: Buffer.from(list) });
  await page.getByText('1 line taken.').waitFor();
  await page.getByText('Line 3: "call me" is not a number').waitFor();
  await page.getByRole('button', { name: 'Close' }).click();
  await page.getByRole('searchbox').fill('harbour');
  await page.getByRole('link', { name: 'Li Na' }).click();
  await page.getByLabel('Notes').fill('Speaks softly.');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('The contact is saved.').waitFor();
  await page.getByText('Speaks softly.').waitFor();
  await seat.close();
});

test('the desk knows the caller while it rings; its keys steer the call; one tab owns the phone', async (t) => {
  const seat = await visit(browser, box);
  const { page } = seat;
  await login(seat, 'anna');
  await page.getByRole('heading', { level: 1, name: 'Desk' }).waitFor();
  await page.getByRole('button', { name: 'Log in', exact: true }).click();
  await page.getByText('No call', { exact: true }).waitFor();
  await page.keyboard.press('F9');
  await page.getByText('Not ready', { exact: true }).first().waitFor();
  await page.keyboard.press('F9');
  await page.getByRole('button', { name: 'Pause' }).waitFor();

  await page.evaluate(() => {
    const look = () => {
      const name = document.querySelector('section[aria-label="Contact"] h2')?.textContent ?? '';
      if (name.includes('Li Na')) globalThis.poppedAt ??= Date.now();
    };
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
  await phones[0].call('600');
  await page.getByText('Talking', { exact: true }).first().waitFor();
  const pop = page.getByRole('region', { name: 'Contact' });
  await pop.getByText('Li Na').waitFor();
  await pop.getByText('vip').waitFor();
  // The machine decides how fast it is; a person sees it before picking up.
  t.diagnostic(`the caller was known ${(await page.evaluate(() => globalThis.poppedAt)) - phones[1].rangAt} ms after the phone rang`);
  assert.equal(await pop.getByLabel('Notes').inputValue(), 'Speaks softly.');
  assert.match(await pop.innerText(), /Queue\s+main\s+Waited\s+0:0\d/);
  await page.getByText('Ask for the customer number.').waitFor();
  const elsewhere = page.getByRole('link', { name: 'Page about this caller' });
  assert.equal(await elsewhere.getAttribute('href'), 'https://crm.example.com/?n=101&who=Li%20Na');
  if (process.env.BELFRY_SHOTS) await page.screenshot({ path: `${process.env.BELFRY_SHOTS}/desk-call.png`, fullPage: true });
  await pop.getByLabel('Notes').fill('Speaks softly. Likes green tea.');
  await pop.getByRole('button', { name: 'Save notes' }).click();
  await page.getByText('The notes are saved.').waitFor();

  await page.keyboard.press('F6');
  await page.getByText('The caller hears music').waitFor();
  await page.keyboard.press('F6');
  await page.getByText('The caller hears music').waitFor({ state: 'hidden' });
  await page.keyboard.press('F7');
  await page.getByText('You are muted').waitFor();
  await page.keyboard.press('F7');
  await page.getByText('You are muted').waitFor({ state: 'hidden' });

  const other = await page.context().newPage();
  await other.goto(`${box.url}/desk`);
  await other.getByText('Your desk is open in another tab.').waitFor();
  await other.getByRole('button', { name: 'Use this tab' }).click();
  await page.getByText('Your desk is open in another tab.').waitFor();
  await other.close();
  await page.getByText('Your desk is open in another tab.').waitFor({ state: 'hidden' });

  await page.keyboard.press('F4');
  await phones[0].over;
  await page.getByText('No call', { exact: true }).waitFor();
  await seat.close();
});

test('the supervisor sees the team, and a screen on the wall needs only its link', async () => {
  const seat = await visit(browser, box);
  const { page } = seat;
  await login(seat);
  await seat.go('/supervise');
  await page.getByRole('row').filter({ hasText: 'Anna Keller' }).getByText('Ready', { exact: true }).waitFor();

  await seat.go('/wall');
  await page.getByRole('region', { name: 'main' }).getByText('waiting').waitFor();
  await page.getByRole('button', { name: 'Make a link for a screen' }).click();
  const form = page.getByRole('dialog');
  await form.getByRole('button', { name: 'Make a link for a screen' }).click();
  await form.getByText('/screen#').waitFor();
  const link = /https:\S+\/screen#belfry_[0-9a-f]+/.exec(await form.innerText())[0];

  const screen = await visit(browser, box, { theme: 'dark' });
  await screen.page.goto(link);
  await screen.page.getByRole('region', { name: 'main' }).waitFor();
  await screen.page.getByRole('region', { name: 'Agents' }).getByText('Anna Keller').waitFor();
  await page.getByRole('button', { name: 'Close' }).click();
  assert.equal((await box.ask('DELETE', '/tokens/wall')).status, 204);
  await screen.page.getByText('This link is not valid any more.').waitFor();
  await screen.close();
  await seat.close();
});

test('the call stands in the reports, as rows, bars and a file', async () => {
  const seat = await visit(browser, box);
  const { page } = seat;
  await login(seat);
  await seat.go('/reports?width=total');
  const row = page.getByRole('row').filter({ hasText: 'main' });
  await row.waitFor();
  assert.match(await row.innerText(), /1\s+1\s+100 %/);
  await page.getByLabel('One row per').selectOption('hour');
  await page.getByRole('img', { name: 'Callers: answered and not answered' }).waitFor();
  const file = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Download for spreadsheets' }).click();
  assert.equal((await file).suggestedFilename(), 'queues.csv');
  await page.getByRole('link', { name: 'Agents', exact: true }).click();
  await page.getByRole('row').filter({ hasText: 'Anna Keller' }).first().waitFor();
  const beyond = () => document.documentElement.scrollWidth - innerWidth;
  assert.equal(await page.evaluate(beyond), 0, 'the widest table stays within the screen');
  await seat.close();
});

test('a caller is handed over into the queue that a second call of the phone stands in', async () => {
  const seat = await visit(browser, box);
  const { page } = seat;
  await login(seat, 'anna');
  const queue = (await box.ask('GET', '/config/queue/main')).json;
  assert.equal((await box.ask('PUT', '/config/queue/main', { ...queue, wrap_up_s: 300 })).status, 200);
  const own = page.getByRole('button', { name: 'Log in', exact: true });
  await own.or(page.getByRole('button', { name: 'Pause' })).waitFor();
  if (await own.isVisible()) await own.click();
  await page.getByRole('button', { name: 'Pause' }).waitFor();
  await phones[0].call('600');
  await page.getByText('Talking', { exact: true }).first().waitFor();
  const { call } = (await box.ask('GET', '/calls')).json.find((c) => c.caller.number === '101');
  const line = await new Phone(box, '102', 'test-only-102-secret').open();
  await line.call('600');
  const card = page.getByRole('region', { name: 'The call' });
  await card.getByText('Second call of your phone').waitFor();
  if (process.env.BELFRY_SHOTS) await card.screenshot({ path: `${process.env.BELFRY_SHOTS}/desk-second.png` });
  await card.getByRole('button', { name: 'Hand over now' }).click();
  await line.over;
  assert.equal(phones[0].talks, true, 'the caller is still there');
  // The call goes on without her: neither her card nor the supervisor’s row shows it as hers.
  await card.getByRole('heading', { name: 'After-call work' }).waitFor();
  const lead = await visit(browser, box);
  await login(lead);
  await lead.go('/supervise');
  await lead.page.getByText('Waiting callers').waitFor();
  const row = lead.page.getByRole('row').filter({ hasText: 'Anna Keller' });
  await row.getByText('Wrap-up', { exact: true }).waitFor();
  assert.doesNotMatch(await row.innerText(), /talks with/);
  await lead.close();
  await phones[0].hangUp();
  line.close();
  const over = await box.until('the call is over', () => box.ask('GET', `/history/${call}`), (h) => h.json.record?.ended);
  const { steps } = over.json;
  const kinds = steps.map((s) => s.kind).filter((kind) => ['transferred', 'waited', 'queue'].includes(kind));
  assert.deepEqual(kinds, ['queue', 'transferred', 'waited', 'queue']);
  await seat.close();
});
