// The phone in the browser: Chromium with a file for a microphone. Tones are measured at both ends, through a reload, a lost
// socket and a change of tabs; a menu understands its keys, and a voicemail keeps its sound.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { login, violations, visit } from './browser.mjs';
import { scene } from './scene.mjs';
import { PLAYED, SPOKEN, hears, isReady, microphone, region, seatWithPhone, spoken, turnOn } from './webphone.mjs';

let browser;
let box;
let desk;
const set = (it) => ({ browser, box, phones: [desk] } = it);
scene(set, {
  people: [['anna', 'user', { extension: '102' }]],
  phones: ['101'],
  flags: microphone(),
});

/** Settles when the other side has said something and is silent since, as a person waits for the end of a greeting. */
async function turn(page) {
  await page.evaluate(() => (window.heardAt = undefined));
  await page.waitForFunction(
    async () => {
      if (!window.voice) {
        const context = new AudioContext();
        await context.resume();
        window.voice = new AnalyserNode(context, { fftSize: 2048 });
        context.createMediaStreamSource(new MediaStream([window.lastPeer.getReceivers()[0].track])).connect(window.voice);
      }
      const sound = new Float32Array(2048);
      window.voice.getFloatTimeDomainData(sound);
      if (sound.some((x) => Math.abs(x) > 0.02)) window.heardAt = performance.now();
      return window.heardAt !== undefined && performance.now() - window.heardAt > 1_500;
    },
    undefined,
    { polling: 50 },
  );
}

/** Settles when so many seconds of the microphone have gone out from now on. */
async function speaks(page, seconds) {
  const sent = () =>
    page.evaluate(async () => {
      const stats = [...(await window.lastPeer.getStats()).values()];
      return stats.find((s) => s.type === 'outbound-rtp').packetsSent;
    });
  const end = (await sent()) + seconds * 50;
  await box.until('the speech has gone out', sent, (count) => count >= end);
}

test('the microphone is asked for, and without it the page says what to do', async () => {
  const seat = await visit(browser, box);
  await login(seat, 'anna');
  await turnOn(seat.page);
  await seat.page.getByText('The browser does not give the microphone to this page').waitFor();
  assert.deepEqual(await violations(seat.page), []);
  await seat.close();
});

test('the browser calls the echo, is called by a desk phone, and survives a reload, a lost socket and another tab', async (t) => {
  const seat = await visit(browser, box, { allow: ['microphone'] });
  const { page } = seat;
  const line = await seatWithPhone(seat);
  await login(seat, 'anna');
  await turnOn(page);
  await isReady(page);

  await page.getByPlaceholder('Number to call').fill('*43');
  const dialled = performance.now();
  await page.getByRole('button', { name: 'Call', exact: true }).click();
  await hears(page, SPOKEN);
  assert.equal(await spoken(page), 'audio/opus', 'the browser speaks what it likes best');
  t.diagnostic(`own tone back from the echo ${Math.round(performance.now() - dialled)} ms after the click`);
  await region(page).getByRole('button', { name: 'Hang up' }).click();
  await isReady(page);

  const called = desk.call('102');
  await page.getByText('Somebody calls').waitFor();
  await region(page).getByText('Reception').waitFor();
  const answered = performance.now();
  await page.getByRole('button', { name: 'Answer' }).click();
  await called;
  await Promise.all([hears(page, PLAYED), desk.hears(SPOKEN)]);
  t.diagnostic(`tones at both ends ${Math.round(performance.now() - answered)} ms after the answer`);
  assert.deepEqual(await violations(page), []);

  await region(page).getByRole('button', { name: 'Headset' }).click();
  const microphones = region(page).getByLabel('Microphone', { exact: true });
  const names = await microphones.locator('option').allTextContents();
  assert.ok(names.length > 2, `microphones to choose from: ${names}`);
  await microphones.selectOption(names[2]);
  await Promise.all([hears(page, PLAYED), desk.hears(SPOKEN)]);

  await page.getByRole('button', { name: 'Hold' }).click();
  await page.getByRole('button', { name: 'Back to the caller' }).click();
  await Promise.all([hears(page, PLAYED), desk.hears(SPOKEN)]);

  await page.reload();
  const reloaded = performance.now();
  await page.getByText('Talking', { exact: true }).waitFor();
  await Promise.all([hears(page, PLAYED), desk.hears(SPOKEN)]);
  t.diagnostic(`tones again ${Math.round(performance.now() - reloaded)} ms after the reload`);

  line.cut = true;
  for (const ws of line.open) ws.close();
  await page.getByText('Connection to the box lost; the call goes on').waitFor();
  for (const end = performance.now() + 10_000; performance.now() < end; ) {
    await Promise.all([hears(page, PLAYED), desk.hears(SPOKEN)]);
  }
  line.cut = false;
  await page.getByText('Talking', { exact: true }).waitFor();
  await Promise.all([hears(page, PLAYED), desk.hears(SPOKEN)]);

  const other = await page.context().newPage();
  await seatWithPhone({ page: other });
  await other.goto(box.url);
  await turnOn(other);
  await other.getByText('The phone is in another tab or browser.').waitFor();
  await other.getByRole('button', { name: 'Use it here' }).click();
  await page.getByText('The phone is in another tab or browser.').waitFor();
  await Promise.all([hears(other, PLAYED), desk.hears(SPOKEN)]);
  assert.ok(desk.talks, 'the call has been one and the same');
  await region(other).getByRole('button', { name: 'Hang up' }).click();
  await desk.over;
  await isReady(other);
  await seat.close();
});

for (const codec of ['audio/G722', 'audio/PCMU', 'audio/PCMA']) {
  test(`a browser that offers only ${codec} is heard and hears`, async (t) => {
    const seat = await visit(browser, box, { allow: ['microphone'] });
    const { page } = seat;
    await seatWithPhone(seat, { codec });
    await login(seat, 'anna');
    await turnOn(page);
    const take = page.getByRole('button', { name: 'Use it here' });
    await page.getByText('102 is ready').or(take).waitFor();
    if (await take.isVisible()) await take.click();
    await isReady(page);
    const called = desk.call('102');
    await page.getByText('Somebody calls').waitFor();
    const answered = performance.now();
    await page.getByRole('button', { name: 'Answer' }).click();
    await called;
    await Promise.all([hears(page, PLAYED), desk.hears(SPOKEN)]);
    t.diagnostic(`tones at both ends ${Math.round(performance.now() - answered)} ms after the answer`);
    assert.equal(await spoken(page), codec);
    await region(page).getByRole('button', { name: 'Hang up' }).click();
    await desk.over;
    await isReady(page);
    await seat.close();
  });
}

test('a menu understands the keys of the page, and a voicemail keeps its sound', async () => {
  const seat = await visit(browser, box, { allow: ['microphone'] });
  const { page } = seat;
  await seatWithPhone(seat);
  await login(seat, 'anna');
  await turnOn(page);
  const take = page.getByRole('button', { name: 'Use it here' });
  await page.getByText('102 is ready').or(take).waitFor();
  if (await take.isVisible()) await take.click();
  await isReady(page);
  await page.getByPlaceholder('Number to call').fill('700');
  await page.getByRole('button', { name: 'Call', exact: true }).click();
  await page.getByText('Talking', { exact: true }).waitFor();
  await region(page).getByRole('button', { name: 'Keys' }).click();
  await region(page).getByRole('button', { name: 'Key 9' }).click();
  const kept = async () => (await box.ask('GET', '/messages?mailbox=101')).json;
  const calls = async () => (await box.ask('GET', '/calls')).json;
  await box.until('the caller is at the mailbox', calls, (all) => all[0]?.stage === 'voicemail');
  await turn(page);
  await speaks(page, 3);
  await region(page).getByRole('button', { name: 'Hang up' }).click();
  const [message] = await box.until('the message is kept', kept, (all) => all.length === 1);
  assert.ok(message.ms > 1000 && message.caller.number === '102', JSON.stringify(message));
  await seat.close();
});
