// The doctor finds what is wrong, says what to do, and what it says helps.
import { randomBytes } from "node:crypto";
import { assert, check } from "../checks.mjs";
import { freePort } from "../processes.mjs";

export async function doctor(image, cluster) {
  const lines = ({ stdout }) => stdout.trim().split("\n");

  await check("a sound installation has a line for each check, and the doctor ends with 0", async () => {
    const report = await image.run(cluster, ["doctor"]);
    assert.equal(report.code, 0, report.stdout + report.stderr);
    const found = lines(report);
    assert.equal(found.pop(), "All is well.");
    for (const name of ["PostgreSQL", "connections", "durability", "schema", "roles", "transactions", "slots", "change feed", "clocks", "master key", "public URL", "mail", "metrics"]) {
      assert.equal(found.filter((line) => line.startsWith(`ok      ${name.padEnd(13)} `)).length, 1, `${name} in\n${found.join("\n")}`);
    }
    assert.match(report.stdout, /change feed +replication; 1 node reads the log now/);
  });

  await check("each problem is a line with its remedy, and the doctor ends with 1", async () => {
    await cluster.psql("alter role vibe_app bypassrls");
    const port = await freePort();
    const report = await image.run(cluster, ["doctor"], {
      into: image.secrets({ master_key: randomBytes(32).toString("base64") }),
      env: {
        VIBE_PUBLIC_URL: "http://elsewhere.example", Vibe__Mail__Host: "127.0.0.1", Vibe__Mail__Port: `${port}`,
        VIBE_TLS_CERTIFICATE: "/nonexistent/tls.pem", VIBE_TLS_KEY: "/nonexistent/tls.key",
      },
    });
    const problems = lines(report).filter((line) => line.startsWith("PROBLEM "));
    const remedies = {
      roles: /run (ALTER ROLE vibe_app NOSUPERUSER NOBYPASSRLS)\.$/,
      "master key": /give the server the old one\.$/,
      "public URL": /change it back|is not https.*--tls-port/,
      mail: new RegExp(`127\\.0\\.0\\.1:${port} cannot be reached`),
      certificate: /There is no file \/nonexistent\/tls\.pem/,
    };
    for (const [name, remedy] of Object.entries(remedies)) assert.ok(problems.some((line) => line.startsWith(`PROBLEM ${name} `) && remedy.test(line)), `${name} in\n${report.stdout}${report.stderr}`);
    assert.equal(problems.length, 6, report.stdout);
    assert.equal(lines(report).at(-1), "6 problems found.");
    assert.equal(report.code, 1);

    // What it says to do is done as it says.
    await cluster.psql(report.stdout.match(/run (ALTER ROLE [^.]+)\./)[1]);
    assert.equal((await image.run(cluster, ["doctor"])).code, 0);
  });
}
