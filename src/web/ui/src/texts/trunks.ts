// Texts of trunks.
import { texts } from '../lib/i18n.svelte';

export const N = texts({
  intro: ['Connections to carriers, for calls from and to outside.', '与运营商的连接，用于外部呼入和呼出。'],
  new: ['New trunk', '新建中继'],
  title: ['Trunk {name}', '中继 {name}'],
  none: ['No trunks yet', '尚无中继'],
  noneText: [
    'A trunk connects the box to a telephone carrier. With one you can call outside and be called.',
    '中继将设备与电话运营商相连，之后即可呼叫外部并接听外部来电。',
  ],
  state: ['State', '状态'],
  host: ['Carrier’s server', '运营商服务器'],
  calls: ['Calls', '通话'],
  callsOf: ['{n} of {all}', '{n}/{all}'],
  since: ['Since', '自'],
  cause: ['What it means', '含义'],
  said: ['The carrier said', '运营商答复'],
  remedy: ['What to do', '解决办法'],
  now: ['State now', '当前状态'],
  check: ['Check now', '立即检测'],
  checking: ['The box asks the carrier again.', '设备正在重新询问运营商。'],
  noState: ['The box has not told the state yet.', '设备尚未报告状态。'],
  account: ['Carrier and account', '运营商与账户'],
  name: ['Name', '名称'],
  nameHint: ['Your own word for it, e.g. the carrier. It cannot be changed later.', '自定义名称，例如运营商名。之后不能更改。'],
  kind: ['How the carrier knows us', '运营商如何识别我们'],
  port: ['Port', '端口'],
  transport: ['Transport', '传输方式'],
  username: ['User name', '用户名'],
  usernameHint: ['As in the carrier’s letter, often the main number.', '见运营商资料，通常为主号码。'],
  auth: ['Authentication name', '认证用户名'],
  authHint: ['Only if the carrier gave another one.', '仅当运营商另行提供时填写。'],
  password: ['Password', '密码'],
  domain: ['SIP domain', 'SIP 域'],
  domainHint: ['Only if it differs from the server.', '仅当与服务器不同时填写。'],
  addresses: ['Further addresses of the carrier', '运营商的其他地址'],
  addressesHint: ['One per line. Calls from these addresses belong to this trunk too.', '每行一个。来自这些地址的呼叫也属于此中继。'],
  numbers: ['Numbers and limits', '号码与限制'],
  callerId: ['Number shown outside', '外显号码'],
  callerIdHint: ['When the extension has none of its own.', '分机没有自己的外显号码时使用。'],
  format: ['How numbers are written to the carrier', '发往运营商的号码格式'],
  capacity: ['Most calls at once', '最大并发通话'],
  expiry: ['Registration lasts', '注册有效期'],
  codecs: ['Sound codings, in order', '语音编码（按顺序）'],
  addCodec: ['Add a coding', '添加编码'],
  record: ['Recording', '录音'],
});

export const KIND = texts({
  register: ['We register with user name and password', '以用户名和密码注册'],
  address: ['By our address; no registration', '通过地址识别，无需注册'],
});

export const FORMAT = texts({
  e164: ['+49 30 1234… (E.164)', '+86 10 1234…（E.164）'],
  e164_no_plus: ['49 30 1234… (without +)', '86 10 1234…（不带 +）'],
  national: ['030 1234…, abroad 00…', '国内 010 1234…，国际 00…'],
  as_dialled: ['As the route makes it', '按路由结果原样'],
});
