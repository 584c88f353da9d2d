// A certified OpenID provider on loopback: node op.mjs REDIRECT_URI...
// Whoever `login_hint` names signs in and consents; "deny" says no.

import { createServer } from "node:http";
import Provider from "oidc-provider";

const redirect_uris = process.argv.slice(2);
const server = createServer();
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const issuer = `http://127.0.0.1:${server.address().port}`;

const client = (more) => ({
  redirect_uris,
  grant_types: ["authorization_code", "refresh_token"],
  response_types: ["code"],
  ...more,
});

const provider = new Provider(issuer, {
  clients: [
    client({ client_id: "confidential", client_secret: "a secret of the tests, long enough" }),
    client({ client_id: "public", token_endpoint_auth_method: "none" }),
    client({ client_id: "elliptic", client_secret: "another secret of the tests, long enough" }),
  ],
  pkce: { required: () => true },
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"], groups: ["groups"] },
  scopes: ["openid", "offline_access", "email", "profile", "groups"],
  cookies: { keys: ["a key of the tests"] },
  features: { devInteractions: { enabled: false }, revocation: { enabled: true } },
  findAccount: (ctx, id) => ({
    accountId: id,
    claims: async () => ({
      sub: id,
      email: `${id}@example.org`,
      email_verified: true,
      name: id,
      groups: ["writers"],
    }),
  }),
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  async loadExistingGrant(ctx) {
    const grant = new ctx.oidc.provider.Grant({
      clientId: ctx.oidc.client.clientId,
      accountId: ctx.oidc.session.accountId,
    });
    grant.addOIDCScope("openid email profile groups");
    await grant.save();
    return grant;
  },
});

provider.use(async (ctx, next) => {
  if (!ctx.path.startsWith("/interaction/")) return next();
  const { params } = await provider.interactionDetails(ctx.req, ctx.res);
  const hint = params.login_hint ?? "vera";
  const result =
    hint === "deny"
      ? { error: "access_denied", error_description: "no, thank you" }
      : { login: { accountId: hint } };
  await provider.interactionFinished(ctx.req, ctx.res, result);
});

server.on("request", provider.callback());
console.log(`Listening at: ${issuer}`);
