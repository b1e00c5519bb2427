// A company whose people sign in with the npm package oidc-provider; started with the bridge's address and our own port.
import { Provider } from 'oidc-provider';

const [port, bridge, providerId] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;

const provider = new Provider(issuer, {
  clients: [{
    client_id: 'bridge',
    client_secret: 'a secret between the two',
    redirect_uris: [`${bridge}/login/callback`],
    post_logout_redirect_uris: [`${bridge}/logout/done`],
    backchannel_logout_uri: `${bridge}/login/backchannel/${providerId}`,
    backchannel_logout_session_required: true,
  }],
  claims: { openid: ['sub'], email: ['email'], profile: ['name', 'groups'] },
  conformIdTokenClaims: false,
  features: { devInteractions: { enabled: true }, backchannelLogout: { enabled: true } },
  pkce: { required: () => true },
  findAccount: async (_context, id) => ({
    accountId: id,
    claims: async () => ({ sub: id, email: `${id}@acme.example`, name: id, groups: ['Engineers'] }),
  }),
  // Its own guard refuses the loopback, on which the bridge of a test listens.
  fetch: (url, { agent, dispatcher, ...options }) => globalThis.fetch(url, options),
});

provider.listen(Number(port), '127.0.0.1', () => console.log('ready'));
