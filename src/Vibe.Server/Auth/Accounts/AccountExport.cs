using System.Runtime.CompilerServices;
using Vibe.Auth.V1;
using Vibe.Server.Auth.Identity;
using Vibe.Server.Auth.OAuth;
using Vibe.Server.Kernel;

namespace Vibe.Server.Auth.Accounts;

/// <summary>Everything that is kept of a person, one thing after the other.</summary>
internal sealed class AccountExport(
    AccountStore accounts, PasskeyStore passkeys, SessionStore sessions, Grants grants, Clients clients, CertificateStore certificates, Audit audit, IOwnedDocuments documents,
    AccountOptions options, TimeProvider time)
{
    private const int Page = 500;

    /// <summary>Reads it.</summary>
    /// <exception cref="Grpc.Core.RpcException">ACCOUNT_NOT_FOUND.</exception>
    public async IAsyncEnumerable<ExportAccountResponse> ReadAsync(string did, Guid? current, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var account = await accounts.FindAsync(did, cancellationToken) ?? throw AccountErrors.NotFound(did);
        yield return new() { Account = account.ToProto() };
        foreach (var address in await accounts.ListAddressesAsync(did, cancellationToken))
        {
            yield return new() { EmailAddress = address.ToProto() };
        }

        foreach (var passkey in await passkeys.ListAsync(did, cancellationToken))
        {
            yield return new() { Passkey = passkey.ToProto() };
        }

        foreach (var session in await sessions.ListAsync(did, time.GetUtcNow(), options.SessionIdle, cancellationToken))
        {
            yield return new() { Session = session.ToProto(current) };
        }

        foreach (var grant in await grants.ListAsync(did, cancellationToken))
        {
            yield return new() { Grant = grant.ToProto(await clients.FindAsync(grant.App, cancellationToken)) };
        }

        foreach (var issued in (bool[])[false, true])
        {
            IReadOnlyList<CertificateRow> rows = [];
            do
            {
                rows = await certificates.ListAsync(did, issued, type: "", Page, rows.Count == 0 ? null : rows[^1].Id, cancellationToken);
                foreach (var row in rows)
                {
                    yield return new() { Certificate = row.ToProto() };
                }
            }
            while (rows.Count == Page);
        }

        IReadOnlyList<StoredAuditEvent> events = [];
        do
        {
            events = await audit.ListAsync(did, events.Count == 0 ? null : events[^1].Id, Page, cancellationToken);
            foreach (var row in events)
            {
                yield return new() { Event = row.ToProto() };
            }
        }
        while (events.Count == Page);

        await foreach (var document in documents.ReadAllAsync(did, cancellationToken))
        {
            yield return new() { Document = document };
        }
    }
}
