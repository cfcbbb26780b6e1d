// Texts of the page of captures.
import { texts } from '../lib/i18n.svelte';

export const K = texts({
  intro: [
    'The SIP messages of phones and carriers, for finding out why a call fails.',
    '查看话机与运营商之间的 SIP 消息，用于查找通话失败的原因。',
  ],
  text: [
    'Begin, place the call that fails, then end and download: the file opens in Wireshark. Passwords, key presses and keys of encrypted speech are blanked; numbers and names are in it, so treat the file with care. Speech is never in it.',
    '开始抓包后重现失败的通话，再停止并下载；文件可用 Wireshark 打开。密码、按键和语音加密密钥已被遮盖；文件包含号码和姓名，请妥善保管。其中不含语音。',
  ],
  length: ['For how long', '时长'],
  minute: ['1 minute', '1 分钟'],
  minutes: ['{n} minutes', '{n} 分钟'],
  hour: ['1 hour', '1 小时'],
  start: ['Begin', '开始'],
  stop: ['End', '停止'],
  again: ['Begin anew', '重新开始'],
  download: ['Download for Wireshark', '下载（Wireshark）'],
  forget: ['Forget', '清除'],
  forgotten: ['The captured messages are gone.', '已清除抓取的消息。'],
  runs: ['Capturing since {since}, until {ends}: {n}', '从 {since} 开始抓包，到 {ends} 结束：{n}'],
  done: ['Captured from {since} to {ends}: {n}', '抓包时间 {since} 至 {ends}：{n}'],
  count: ['{n} {n|message|messages}, {kb} kB', '{n} 条消息，{kb} kB'],
  lost: ['{n} older {n|message|messages} made room for newer ones.', '为保留较新的消息，{n} 条较早的消息已被丢弃。'],
  none: ['Nothing captured', '尚未抓包'],
  noneText: ['Begin a capture; messages are listed here as they come.', '开始抓包后，消息会显示在此处。'],
  waiting: ['No message yet', '尚无消息'],
  list: ['The newest messages', '最新消息'],
  when: ['When', '时间'],
  way: ['Way', '方向'],
  peer: ['Other end', '对端'],
  first: ['Message', '消息'],
  sent: ['sent', '发出'],
  got: ['received', '收到'],
});
