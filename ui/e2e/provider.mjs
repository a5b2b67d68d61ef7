// A real OpenID provider for the tests, which says yes for whom `POST /control` names. It prints its address.

import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { Provider } from "oidc-provider";

const people = {};
let [provider, account] = [undefined, "ann"];

const server = createServer(async (request, response) => {
  const url = new URL(request.url, "http://here");
  if (url.pathname === "/control") return control(request, response);
  if (url.pathname.startsWith("/interaction/")) return consent(request, response);
  return provider.callback()(request, response);
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
const issuer = `http://127.0.0.1:${server.address().port}`;
begin({ clients: [] });
process.stdout.write(`${issuer}\n`);

/** A new provider in the place of the last: other clients, new keys. */
function begin({ clients, kid = "first" }) {
  // Read anew: to export a key that was just made waits for ever, in Node, where memory is cleaned up meanwhile.
  const { privateKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  const jwk = createPrivateKey(privateKey).export({ format: "jwk" });
  const key = { ...jwk, kid, use: "sig", alg: "RS256" };
  provider = new Provider(issuer, {
    clients,
    jwks: { keys: [key] },
    cookies: { keys: ["of the tests"] },
    claims: { openid: ["sub"], profile: ["name", "preferred_username", "groups"] },
    features: {
      devInteractions: { enabled: false },
      rpInitiatedLogout: { enabled: true },
      backchannelLogout: { enabled: true },
    },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    pkce: { required: () => true },
    issueRefreshToken: (_, client) => client.grantTypeAllowed("refresh_token"),
    rotateRefreshToken: () => true, // each is good for once
    // Its own way of asking refuses addresses of this machine.
    fetch: (url, { dispatcher: _, ...options }) => fetch(url, options),
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, preferred_username: id, name: id, ...people[id] }),
    }),
  });
  provider.on("backchannel.error", (_, error, client) =>
    process.stderr.write(`${client.clientId} was not told: ${error} ${error.cause ?? ""}\n`),
  );
}

async function control(request, response) {
  let body = "";
  for await (const part of request) body += part;
  const asked = JSON.parse(body);
  if (asked.clients) begin(asked);
  if (asked.account) account = asked.account;
  Object.assign(people, asked.people);
  response.end("{}");
}

/** Signs in the account, and gives the client all that it asks for. */
async function consent(request, response) {
  const { prompt, params, session } = await provider.interactionDetails(request, response);
  if (prompt.name === "login") {
    if (account === "nobody") {
      const result = { error: "access_denied", error_description: "Nobody is here" };
      return provider.interactionFinished(request, response, result);
    }
    return provider.interactionFinished(request, response, { login: { accountId: account } });
  }
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  const result = { consent: { grantId: await grant.save() } };
  return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: true });
}
