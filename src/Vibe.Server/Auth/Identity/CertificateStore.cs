using System.Data;
using System.Security.Cryptography;
using Vibe.Postgres.Sessions;
using Vibe.Server.Auth.Accounts;
using Vibe.Server.Auth.Revocations;

namespace Vibe.Server.Auth.Identity;

/// <summary>The certificates of this server.</summary>
internal sealed class CertificateStore(Database database, RevocationSet revocations, Audit audit, AuthOptions options)
{
    /// <summary>
    /// How many certificates, of different issuers and types, count for one holder: with the DID and <c>users</c> as many principals
    /// as a request may have.
    /// </summary>
    public const int MaxPerHolder = RequestContext.MaxPrincipals - 2;

    private const int IndexAttempts = 32;

    private static readonly Sql IsGood = $"c.revoke_time is null and (c.expire_time is null or c.expire_time > now())";

    /// <summary>What its holder counts as, and until when that is so for sure.</summary>
    public async Task<(IReadOnlyList<string> Principals, DateTimeOffset? ChangeTime)> PrincipalsOfAsync(string did, CancellationToken cancellationToken)
    {
        // The oldest count: what somebody else issues later takes nothing away.
        var rows = await database.Owner.QueryAsync(
            $"""
            select 'cert:' || c.issuer_did || '#' || c.type, max(coalesce(c.expire_time, 'infinity')) filter (where c.expire_time is not null), bool_or(c.expire_time is null)
            from vibe.certificates c where c.subject_did = {did} and {IsGood}
            group by c.issuer_did, c.type order by min(c.id::text) limit {MaxPerHolder}
            """,
            static row => (Principal: row.GetString(0), End: row.GetBoolean(2) ? null : row.GetTimestampOrNull(1)), cancellationToken);
        return ([.. rows.Select(static row => row.Principal)], rows.Min(static row => row.End));
    }

    /// <summary>Adds a certificate.</summary>
    /// <param name="certificate">All of it but the token.</param>
    /// <param name="sign">Makes the token, for a place in a status list.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <exception cref="Grpc.Core.RpcException">ACCOUNT_NOT_FOUND, CERTIFICATE_LIMIT.</exception>
    public async Task<CertificateRow> AddAsync(
        CertificateRow certificate, Func<CertificateRow, Guid, int, string> sign, CancellationToken cancellationToken)
    {
        await using var transaction = await database.Owner.BeginAsync(Access.Write, IsolationLevel.ReadCommitted, cancellationToken);
        // One after the other for a holder: the limit is counted, not guessed.
        await transaction.QueryAsync(
            $"select pg_advisory_xact_lock(hashtextextended({"certificates " + certificate.Subject}, 0)) is null", static row => row.GetBoolean(0), cancellationToken);
        await CheckHolderAsync(transaction, certificate, cancellationToken);
        for (var attempt = 0; attempt < IndexAttempts; attempt++)
        {
            var list = await ListOfAsync(transaction, certificate.Issuer, cancellationToken);
            // At random, so that neighbours in the list tell nothing of each other.
            var index = RandomNumberGenerator.GetInt32(StatusLists.Entries);
            var added = await transaction.QueryFirstAsync(
                $"""
                insert into vibe.certificates as c
                  (id, issuer_did, subject_did, type, claims, key_thumbprint, token, list_id, status_index, create_time, expire_time)
                values ({certificate.Id}, {certificate.Issuer}, {certificate.Subject}, {certificate.Type}, {certificate.Claims},
                  nullif({certificate.KeyThumbprint}, ''), {sign(certificate, list, index)}, {list}, {index}, {certificate.CreateTime}, {certificate.ExpireTime})
                on conflict (list_id, status_index) do nothing returning {CertificateRow.Columns}
                """,
                static row => CertificateRow.Read(row), cancellationToken);
            if (added is not null)
            {
                await EndAsync(transaction, added, "certificate.issue", added.Issuer, cancellationToken);
                return added;
            }
        }

        throw new InvalidOperationException("No free place was found in a status list that is at most half full.");
    }

    /// <summary>A certificate that the caller issued or holds; null when there is none.</summary>
    public Task<CertificateRow?> FindAsync(string caller, Guid id, CancellationToken cancellationToken) => database.Owner.QueryFirstAsync(
        $"select {CertificateRow.Columns} from vibe.certificates c where c.id = {id} and {caller} in (c.issuer_did, c.subject_did)",
        static row => CertificateRow.Read(row), cancellationToken);

    /// <summary>A certificate of an issuer of this server; null when there is none.</summary>
    public Task<CertificateRow?> FindOfIssuerAsync(string issuer, Guid id, CancellationToken cancellationToken) => database.Owner.QueryFirstAsync(
        $"select {CertificateRow.Columns} from vibe.certificates c where c.id = {id} and c.issuer_did = {issuer}",
        static row => CertificateRow.Read(row), cancellationToken);

    /// <summary>A page, latest first.</summary>
    public Task<IReadOnlyList<CertificateRow>> ListAsync(
        string caller, bool issued, string type, int limit, Guid? before, CancellationToken cancellationToken)
    {
        Sql whose = issued ? (Sql)$"c.issuer_did = {caller}" : $"c.subject_did = {caller}";
        return database.Owner.QueryAsync(
            $"""
            select {CertificateRow.Columns} from vibe.certificates c
            where {whose} and ({type} = '' or c.type = {type}) and ({before}::uuid is null or c.id < {before}) order by c.id desc limit {limit}
            """,
            static row => CertificateRow.Read(row), cancellationToken);
    }

    /// <summary>Revokes; null when the caller has no such certificate.</summary>
    public async Task<CertificateRow?> RevokeAsync(string caller, Guid id, CancellationToken cancellationToken)
    {
        await using var transaction = await database.Owner.BeginAsync(Access.Write, IsolationLevel.ReadCommitted, cancellationToken);
        var revoked = await transaction.QueryFirstAsync(
            $"""
            update vibe.certificates c set revoke_time = now()
            where c.id = {id} and {caller} in (c.issuer_did, c.subject_did) and c.revoke_time is null returning {CertificateRow.Columns}
            """,
            static row => CertificateRow.Read(row), cancellationToken);
        if (revoked is null)
        {
            return await FindAsync(caller, id, cancellationToken);
        }

        await EndAsync(transaction, revoked, "certificate.revoke", caller, cancellationToken);
        return revoked;
    }

    private async Task CheckHolderAsync(Transaction transaction, CertificateRow certificate, CancellationToken cancellationToken)
    {
        var (isKnown, principals) = await transaction.QueryFirstAsync(
            $"""
            select exists (select from vibe.accounts a where a.did = {certificate.Subject} and a.delete_time is null)
              or exists (select from vibe.apps a where a.did = {certificate.Subject} and a.delete_time is null),
              array(select distinct c.issuer_did || '#' || c.type from vibe.certificates c where c.subject_did = {certificate.Subject} and {IsGood})
            """,
            static row => (row.GetBoolean(0), row.GetTextArray(1)), cancellationToken);
        if (!isKnown && options.IsOurs(certificate.Subject))
        {
            throw CertificateErrors.SubjectNotFound(certificate.Subject);
        }

        if (principals.Length >= MaxPerHolder && !principals.Contains($"{certificate.Issuer}#{certificate.Type}"))
        {
            throw CertificateErrors.TooMany(MaxPerHolder);
        }
    }

    // The first list of the issuer that is less than half full; so a free place is found in two tries.
    private static async Task<Guid> ListOfAsync(Transaction transaction, string issuer, CancellationToken cancellationToken)
    {
        Sql free = $"""
            select l.id from vibe.status_lists l where l.issuer_did = {issuer} and l.purpose = 'revocation'
              and (select count(*) from vibe.certificates c where c.list_id = l.id) < {StatusLists.Entries / 2}
            order by l.ordinal desc limit 1
            """;
        if (await transaction.QueryFirstAsync(free, static row => (Guid?)row.GetGuid(0), cancellationToken) is { } known)
        {
            return known;
        }

        await transaction.ExecuteAsync(
            $"""
            insert into vibe.status_lists (id, issuer_did, ordinal)
            select {Guid.NewGuid()}, {issuer}, coalesce(max(l.ordinal), 0) + 1 from vibe.status_lists l where l.issuer_did = {issuer}
            on conflict do nothing
            """,
            cancellationToken);
        return (await transaction.QueryFirstAsync(free, static row => (Guid?)row.GetGuid(0), cancellationToken))!.Value;
    }

    // Whoever has the principal learns of it in the same transaction.
    private async Task EndAsync(Transaction transaction, CertificateRow certificate, string type, string actor, CancellationToken cancellationToken)
    {
        var told = new AuditEvent
        {
            Type = type, Did = certificate.Subject, Actor = actor,
            Details = new Dictionary<string, string> { ["id"] = certificate.Id.ToString(), ["issuer"] = certificate.Issuer, ["type"] = certificate.Type },
        };
        await transaction.ExecuteAsync(audit.ToStatement(told), cancellationToken);
        var changed = await transaction.QueryFirstAsync(
            Revocation.OfPrincipals(certificate.Subject).ToStatement(options), static row => Revocation.Read(row), cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        revocations.Apply(changed!);
    }
}
