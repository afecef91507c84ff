using System.Collections.Immutable;

namespace Vibe.Server.Kernel;

/// <summary>
/// The scopes of an access token (RFC 6749 section 3.3), parsed: <c>documents:&lt;collection&gt;:&lt;read|write&gt;</c> with
/// <c>*</c> for every collection, where write includes read; <c>account</c> for a person at their own account, and
/// <c>admin</c> for an operator. Other scopes are kept in the token and mean nothing here.
/// </summary>
internal sealed record Scopes
{
    /// <summary>Grants nothing.</summary>
    public static readonly Scopes None = new();

    /// <summary>Every document right; not <c>admin</c>.</summary>
    public static readonly Scopes AllDocuments = Parse("documents:*:write");

    /// <summary>Every collection, in <see cref="Read"/> and <see cref="Write"/>.</summary>
    public const string AnyCollection = "*";

    /// <summary>Collections that may be read; holds <see cref="AnyCollection"/> when all may.</summary>
    public ImmutableSortedSet<string> Read { get; private init; } = ImmutableSortedSet.Create<string>(StringComparer.Ordinal);

    /// <summary>Collections that may be written; holds <see cref="AnyCollection"/> when all may.</summary>
    public ImmutableSortedSet<string> Write { get; private init; } = ImmutableSortedSet.Create<string>(StringComparer.Ordinal);

    /// <summary>Whether the caller is an operator of this server.</summary>
    public bool IsAdmin { get; private init; }

    /// <summary>Whether the caller is a person at their own account, not an app on their behalf.</summary>
    public bool IsAccount { get; private init; }

    /// <summary>Reads a space-separated list; unknown scopes are ignored.</summary>
    public static Scopes Parse(string scope)
    {
        var read = ImmutableSortedSet.CreateBuilder<string>(StringComparer.Ordinal);
        var write = ImmutableSortedSet.CreateBuilder<string>(StringComparer.Ordinal);
        var (admin, account) = (false, false);
        foreach (var item in scope.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            admin |= item == "admin";
            account |= item == "account";
            if (DocumentsScope.Parse(item) is not { } documents)
            {
                continue;
            }

            read.Add(documents.Collection);
            if (documents.IsWrite)
            {
                write.Add(documents.Collection);
            }
        }

        return new Scopes { Read = read.ToImmutable(), Write = write.ToImmutable(), IsAdmin = admin, IsAccount = account };
    }

    /// <summary>Whether documents of the collection may be read.</summary>
    public bool MayRead(string collection) => Read.Contains(AnyCollection) || Read.Contains(collection);

    /// <summary>Whether documents of the collection may be written.</summary>
    public bool MayWrite(string collection) => Write.Contains(AnyCollection) || Write.Contains(collection);
}
