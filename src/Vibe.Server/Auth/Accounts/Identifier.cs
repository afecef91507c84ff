using System.Net.Mail;
using Vibe.Postgres.Sessions;
using Vibe.Server.Kernel;

namespace Vibe.Server.Auth.Accounts;

/// <summary>What a person types to say who they are: a handle, with or without @ before it, or an e-mail address.</summary>
/// <param name="Text">Lower case; never empty, and never of an account for sure.</param>
/// <param name="IsAddress">Whether it is an address.</param>
internal readonly record struct Identifier(string Text, bool IsAddress)
{
    private const int MaxLength = 254;

    /// <summary>The condition that a row <c>a</c> of accounts is the one meant. One way for both, so that both cost the same.</summary>
    public Sql Condition => IsAddress
        ? (Sql)$"a.did = (select e.did from vibe.email_addresses e where e.address = {Text}) and a.delete_time is null"
        : $"a.handle = {Text} and a.delete_time is null";

    /// <summary>Reads what was typed. What cannot be a name is a name nobody has: it is not told apart.</summary>
    public static Identifier Read(string? text)
    {
        var typed = (text ?? "").Trim().ToLowerInvariant();
        typed = typed.StartsWith('@') ? typed[1..] : typed;
        return typed.Length is 0 or > MaxLength || typed.Contains('\0', StringComparison.Ordinal)
            ? new Identifier("-", IsAddress: false)
            : new Identifier(typed, typed.Contains('@', StringComparison.Ordinal));
    }

    /// <summary>An address that mail may be sent to, in lower case.</summary>
    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT.</exception>
    public static string ReadAddress(string? text, string field)
    {
        var typed = (text ?? "").Trim().ToLowerInvariant();
        return typed.Length <= MaxLength && MailAddress.TryCreate(typed, out var address) && address.Address == typed
            && address.DisplayName.Length == 0 && !typed.Any(static c => c is '"' or '<' or '>' or ',' or ';' || char.IsWhiteSpace(c) || char.IsControl(c))
            ? typed
            : throw VibeError.InvalidField(field, "is no e-mail address", "email.form");
    }
}
