// Texts of the supervisor's page.
import { texts } from '../lib/i18n.svelte';

export const SV = texts({
  title: ['Supervisor', '主管台'],
  intro: ['Who waits and who works, and what to do about it. Every step is in the event log.', '查看等待与工作情况并采取措施，每一步都会记录在事件日志中。'],
  team: ['Team', '团队'],
  callers: ['Waiting callers', '等待中的来电'],
  nobody: ['Nobody waits.', '无人等待。'],
  noTeam: ['No agents yet', '尚无坐席'],
  call: ['Call', '通话'],
  with: ['talks with {who}', '正在与 {who} 通话'],
  listen: ['Listen', '监听'],
  whisper: ['Whisper to the agent', '密语'],
  barge: ['Join in', '强插'],
  takeOver: ['Take over', '接管'],
  leave: ['Leave the call', '离开通话'],
  actsOf: ['Supervise the call of {name}', '对 {name} 的通话进行监管'],
  at: ['Your phone', '您的话机'],
  atText: ['This phone rings; pick it up to be in the call.', '此话机将振铃，接起后即进入通话。'],
  rings: ['Your phone {at} rings.', '您的话机 {at} 正在振铃。'],
  place: ['Place', '位置'],
  queue: ['Queue', '队列'],
  waited: ['Waits', '等待'],
  hangUp: ['End the call of {who}', '结束 {who} 的通话'],
});
