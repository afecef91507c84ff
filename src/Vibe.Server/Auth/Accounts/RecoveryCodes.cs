using System.Security.Cryptography;
using Vibe.Postgres.Sessions;

namespace Vibe.Server.Auth.Accounts;

/// <summary>Ten codes of 80 random bits, shown once, each good for one sign-in. New ones replace the old.</summary>
internal sealed class RecoveryCodes(Database database, Sessions sessions, AttemptLimits limits, Notices notices, Audit audit, TimeProvider time)
{
    private const int Count = 10;
    private const int Groups = 4;
    private const int GroupLength = 4;

    // Crockford's alphabet: nothing that is easily mistaken, and no words.
    private const string Alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

    /// <summary>Makes ten and forgets those there were.</summary>
    /// <exception cref="Grpc.Core.RpcException">SIGN_IN_REQUIRED.</exception>
    public async Task<IReadOnlyList<string>> RenewAsync(HttpContext http, CancellationToken cancellationToken)
    {
        var session = await sessions.RequireFreshAsync(http, cancellationToken);
        string[] codes = [.. Enumerable.Range(0, Count).Select(static _ => New())];
        var batch = database.Owner.CreateBatch(Access.Write);
        batch.Execute($"delete from vibe.recovery_codes where did = {session.Did}");
        foreach (var code in codes)
        {
            batch.Execute(
                $"insert into vibe.recovery_codes (did, code_hash, create_time) values ({session.Did}, {Secret.Hash(Plain(code))}, {time.GetUtcNow()})");
        }

        await batch.RunAsync(cancellationToken);
        await audit.WriteAsync("recovery.renew", session.Did, http, cancellationToken);
        return codes;
    }

    /// <summary>Signs in with one.</summary>
    /// <exception cref="Grpc.Core.RpcException">SIGN_IN_FAILED, ACCOUNT_DISABLED, RATE_LIMITED.</exception>
    public async Task<Session> SignInAsync(HttpContext http, string? identifier, string? code, CancellationToken cancellationToken)
    {
        var who = Identifier.Read(identifier);
        await limits.TakeAsync(AttemptKind.Code, http, who.Text, cancellationToken);
        var did = await database.Owner.WriteFirstAsync(
            $"""
            delete from vibe.recovery_codes c using vibe.accounts a
            where {who.Condition} and c.did = a.did and c.code_hash = {Secret.Hash(Plain(code ?? ""))}
            returning a.did
            """,
            static row => row.GetString(0), cancellationToken) ?? throw AccountErrors.SignInFailed();
        var session = await sessions.SignInAsync(http, did, [AuthMethod.RecoveryCode], cancellationToken);
        await notices.RecoveryCodeUsedAsync(did, cancellationToken);
        return session;
    }

    private static string New() =>
        string.Join('-', Enumerable.Range(0, Groups).Select(static _ => RandomNumberGenerator.GetString(Alphabet, GroupLength)));

    // As people type it.
    private static string Plain(string code) =>
        string.Concat(code.ToLowerInvariant().Where(char.IsAsciiLetterOrDigit)).Replace('o', '0').Replace('i', '1').Replace('l', '1');
}
