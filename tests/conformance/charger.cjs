// A charge point on npm `ocpp-rpc`, strict about every message: it charges once when asked and prints what happened.
const { createRequire } = require('node:module');
const { RPCClient } = createRequire(process.env.COMMONWATT_PARTNERS)('ocpp-rpc');

const [endpoint, identity, startWh, ...samplesWh] = process.argv.slice(2);
const client = new RPCClient({ endpoint, identity, protocols: ['ocpp1.6'], strictMode: true });
const told = { refused: [] };
const connectorId = 1;
const now = () => new Date().toISOString();
const status = (word) => client.call('StatusNotification', { connectorId, status: word, errorCode: 'NoError', timestamp: now() });
const later = {};
const started = new Promise((resolve) => { later.start = resolve; });
const stopped = new Promise((resolve) => { later.stop = resolve; });

client.handle('RemoteStartTransaction', ({ params }) => {
  later.start(params);
  return { status: 'Accepted' };
});
client.handle('RemoteStopTransaction', ({ params }) => {
  const known = params.transactionId === told.transactionId;
  if (known) later.stop();
  return { status: known ? 'Accepted' : 'Rejected' };
});
client.on('strictValidationFailure', ({ error }) => told.refused.push(String(error)));

(async () => {
  await client.connect();
  told.boot = (await client.call('BootNotification', { chargePointVendor: 'Acme', chargePointModel: 'Two' })).status;
  await status('Available');
  told.asked = await started;
  await status('Preparing');
  const start = { connectorId, idTag: told.asked.idTag, meterStart: Number(startWh), timestamp: now() };
  const answer = await client.call('StartTransaction', start);
  told.transactionId = answer.transactionId;
  told.tag = answer.idTagInfo.status;
  await status('Charging');
  for (const wh of samplesWh) {
    const sampledValue = [{ value: wh, unit: 'Wh', measurand: 'Energy.Active.Import.Register' }];
    const meterValue = [{ timestamp: now(), sampledValue }];
    await client.call('MeterValues', { connectorId, transactionId: told.transactionId, meterValue });
  }
  await stopped;
  const end = { transactionId: told.transactionId, meterStop: Number(samplesWh.at(-1)) + 11, timestamp: now(), reason: 'Remote' };
  await client.call('StopTransaction', end);
  await status('Finishing');
  await status('Available');
  await client.close();
  console.log(JSON.stringify(told));
})().catch((error) => { console.error(error); process.exit(1); });
