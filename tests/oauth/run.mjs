// Independent OAuth and OpenID Connect clients against a running server. Ends with: N passed, N failed.
import { conclude, totals } from "../checks.mjs";
import { Person, startProvider } from "./provider.mjs";

const provider = await startProvider();
try {
  const wanted = process.argv.slice(2);
  for (const name of ["oauth4webapi", "openid-client", "oidc-client-ts", "auth-core", "jose"]) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    const { passed, failed } = totals;
    const { run } = await import(`./suites/${name}.mjs`);
    await run(provider, await Person.signUp(provider.issuer, `person-${name}`));
    console.log(`${name.padEnd(15)} ${totals.passed - passed} passed, ${totals.failed - failed} failed here`);
  }
} catch (error) {
  totals.failed++;
  console.error(error);
} finally {
  await provider.stop();
}
conclude();
