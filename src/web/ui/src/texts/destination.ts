// Where a call can go, in words.
import { texts } from '../lib/i18n.svelte';

export const D = texts({
  flow: ['Menu “{name}”', '语音菜单“{name}”'],
  queue: ['Queue “{name}”', '队列“{name}”'],
  extension: ['Extension {name}', '分机 {name}'],
  voicemail: ['Voicemail of {name}', '{name} 的语音信箱'],
  echo: ['Echo test', '回声测试'],
  announcement: ['Test announcement', '测试播报'],
  hang_up: ['Hang up', '挂断'],
});
