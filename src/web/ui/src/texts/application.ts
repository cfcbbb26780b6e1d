// Texts of the step in which an application outside leads the call.
import { texts } from '../lib/i18n.svelte';

export const A = texts({
  sApplication: ['Led by {url}', '由 {url} 引导'],
  vWay: ['way “{name}”', '出口“{name}”'],
  vLost: ['without it', '应用不可用时'],
  address: ['Address of the application', '应用地址'],
  addressHint: [
    'The box opens a WebSocket there for each call, e.g. wss://bot.example.com/calls?n={caller}. wss needs a certificate of a public authority.',
    '设备为每通电话向该地址建立 WebSocket，例如 wss://bot.example.com/calls?n={caller}。wss 需要公共机构签发的证书。',
  ],
  patience: ['Wait for it at most', '最长等待'],
  patienceHint: [
    'To be there, to say what comes next, and without a sign of life.',
    '包括建立连接、给出下一步指令以及没有任何响应的时间。',
  ],
  how: [
    'The box sends {"event":"call",…}; the application answers with one verb after the other, and is told what became of each:',
    '设备发送 {"event":"call",…}，应用依次返回指令，设备逐条告知结果：',
  ],
  verbs: ['Verbs', '指令'],
  play: ['say something', '播放语音'],
  gather: ['collect digits', '收集按键'],
  set: ['set fields of the call', '设置通话字段'],
  language: ['change the language', '切换语言'],
  stop: ['end what is said now', '停止当前播放'],
  queue: ['wait in a queue', '进入队列'],
  extension: ['ring an extension', '呼叫分机'],
  voicemail: ['leave a message', '留言'],
  go: ['leave by a way below', '从下列出口离开'],
  hangUp: ['end the call', '结束通话'],
  ways: ['Ways on that it may name', '应用可选的出口'],
  way: ['Way “{name}”', '出口“{name}”'],
  removeWay: ['Remove way “{name}”', '移除出口“{name}”'],
  newWay: ['Name of a new way', '新出口名称'],
  addWay: ['Add a way', '添加出口'],
  lost: ['When it is not there, too slow, gone or wrong', '应用不可用、超时、断开或出错时'],
  stated: ['What the application says', '应用返回的指令'],
  statedHint: [
    'One verb a line, as JSON. Without any, the call goes on as if the application were not there.',
    '每行一条 JSON 指令。留空则按应用不可用继续。',
  ],
  noJson: ['Line {n} is not JSON.', '第 {n} 行不是有效的 JSON。'],
});
