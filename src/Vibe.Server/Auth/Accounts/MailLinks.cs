using Vibe.Postgres.Sessions;
using Vibe.Server.Auth.Accounts.Mail;

namespace Vibe.Server.Auth.Accounts;

/// <summary>
/// Links sent by mail: 256 random bits, kept as a hash, good for 10 minutes, once, in the browser that asked. The secret stands
/// behind the # of the address, where neither logs nor referrers see it, and the page sends it by POST: whatever only opens
/// links, as scanners of mail do, uses nothing up.
/// </summary>
internal sealed class MailLinks(
    Database database, Sessions sessions, AttemptLimits limits, MailQueue mails, Audit audit, AuthOptions auth, AccountOptions options, TimeProvider time)
{
    private const string SignInPurpose = "sign-in";
    private const string VerifyPurpose = "verify";
    private const int MaxRequestId = 100;

    /// <summary>Sends a link to sign in with. Does the same, and takes as long, when nobody is called so.</summary>
    public async Task StartSignInAsync(HttpContext http, string? identifier, string? requestId, CancellationToken cancellationToken)
    {
        var who = Identifier.Read(identifier);
        await limits.TakeAsync(AttemptKind.Mail, http, who.Text, cancellationToken);
        Sql addresses = who.IsAddress
            ? (Sql)$"select e.did, e.address from vibe.email_addresses e where e.address = {who.Text}"
            : $"select e.did, e.address from vibe.accounts a join vibe.email_addresses e on e.did = a.did where a.handle = {who.Text}";
        var secret = Secret.New();
        var batch = database.Owner.CreateBatch(Access.Write);
        var found = batch.Query(
            $"""
            select f.did, f.address from ({addresses}) f join vibe.accounts a on a.did = f.did
            where a.disable_time is null and a.delete_time is null
            """,
            static row => (Did: row.GetString(0), Address: row.GetString(1)));
        batch.Execute(
            $"""
            insert into vibe.mail_links (token_hash, purpose, browser_hash, did, address, request_id, expire_time)
            values ({Secret.Hash(secret)}, {SignInPurpose}, {BrowserBinding.Ensure(http)}, (select min(f.did) from ({addresses}) f), {who.Text},
              {(requestId is { Length: <= MaxRequestId } ? requestId : null)}, {time.GetUtcNow() + options.MailLinkLife})
            """);
        await batch.RunAsync(cancellationToken);
        foreach (var (_, address) in found.Value)
        {
            mails.Send(new Letter(
                address,
                "Your sign-in link",
                $"Open this in the browser where you asked for it, within {options.MailLinkLife.TotalMinutes:0} minutes:\n\n{LinkOf(secret)}\n\nIf it was not you, do nothing: nobody is signed in without it.\n"));
        }
    }

    /// <summary>Sends a link that proves that an address belongs to the person who is signed in.</summary>
    /// <exception cref="Grpc.Core.RpcException">SIGN_IN_REQUIRED, INVALID_ARGUMENT.</exception>
    public async Task StartAddingAsync(HttpContext http, string? address, CancellationToken cancellationToken)
    {
        var session = await sessions.RequireFreshAsync(http, cancellationToken);
        var to = Identifier.ReadAddress(address, "address");
        await limits.TakeAsync(AttemptKind.Mail, http, to, cancellationToken);
        var secret = Secret.New();
        await database.Owner.ExecuteAsync(
            $"""
            insert into vibe.mail_links (token_hash, purpose, browser_hash, did, address, expire_time)
            values ({Secret.Hash(secret)}, {VerifyPurpose}, {BrowserBinding.Ensure(http)}, {session.Did}, {to}, {time.GetUtcNow() + options.MailLinkLife})
            """,
            cancellationToken);
        mails.Send(new Letter(
            to,
            "Confirm your address",
            $"To add this address to the account @{session.Handle}, open this in the browser where you asked for it, within {options.MailLinkLife.TotalMinutes:0} minutes:\n\n{LinkOf(secret)}\n\nIf it was not you, do nothing.\n"));
    }

    /// <summary>Takes a link: signs in, or confirms the address of the person who is signed in.</summary>
    /// <returns>The session, and the app's request that it was asked for with.</returns>
    /// <exception cref="Grpc.Core.RpcException">SIGN_IN_FAILED, SIGN_IN_REQUIRED, ADDRESS_TAKEN, ACCOUNT_DISABLED.</exception>
    public async Task<(Session Session, string? RequestId)> ConfirmAsync(HttpContext http, string? secret, CancellationToken cancellationToken)
    {
        await limits.TakeAsync(AttemptKind.Code, http, account: null, cancellationToken);
        var session = await sessions.FindAsync(http, cancellationToken);
        var browser = BrowserBinding.Find(http) ?? throw AccountErrors.SignInFailed();
        var link = await database.Owner.WriteFirstAsync(
            $"""
            delete from vibe.mail_links where token_hash = {Secret.Hash(secret ?? "")} and browser_hash = {browser} and expire_time > {time.GetUtcNow()}
              and did is not null and (purpose = {SignInPurpose} or did = {session?.Did})
            returning purpose, did, address, request_id
            """,
            static row => (Purpose: row.GetString(0), Did: row.GetString(1), Address: row.GetString(2), RequestId: row.GetStringOrNull(3)),
            cancellationToken);
        if (link.Purpose is null)
        {
            throw AccountErrors.SignInFailed();
        }

        if (link.Purpose == SignInPurpose)
        {
            return (await sessions.SignInAsync(http, link.Did, [AuthMethod.Mail], cancellationToken), link.RequestId);
        }

        await AddAsync(link.Did, link.Address, cancellationToken);
        await audit.WriteAsync("email.add", link.Did, http, cancellationToken);
        return (session!, null);
    }

    private async Task AddAsync(string did, string address, CancellationToken cancellationToken)
    {
        var owner = await database.Owner.WriteFirstAsync(
            $"""
            insert into vibe.email_addresses as e (address, did, verify_time) values ({address}, {did}, {time.GetUtcNow()})
            on conflict (address) do update set verify_time = e.verify_time
            returning did
            """,
            static row => row.GetString(0), cancellationToken);
        if (owner != did)
        {
            throw AccountErrors.AddressTaken();
        }
    }

    private string LinkOf(string secret) => $"{auth.Issuer}/sign-in/mail#{secret}";
}
