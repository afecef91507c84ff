using Vibe.Server.Auth.Accounts;
using Vibe.Server.Kernel;

namespace Vibe.Server.Auth.OAuth;

/// <summary>Turns a person's answer into a grant.</summary>
internal sealed class Consent(Grants grants, Audit audit, TimeProvider time)
{
    /// <summary>Notes what a person allows an app.</summary>
    /// <param name="session">Who answers.</param>
    /// <param name="client">The app.</param>
    /// <param name="asked">What it asked for, by name.</param>
    /// <param name="decision">The answer.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>The names that are allowed now, of those it asked for; null when it is refused.</returns>
    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT: a scope was not asked for, or one is missing that the app cannot do without.</exception>
    public async Task<IReadOnlyList<string>?> AcceptAsync(
        Session session, Client client, IReadOnlyList<string> asked, Decision decision, CancellationToken cancellationToken)
    {
        if (!decision.Allow)
        {
            return null;
        }

        var ticked = decision.Scopes ?? asked;
        if (ticked.Except(asked).Any())
        {
            throw VibeError.InvalidField("scopes", "names a scope that the app did not ask for", "consent.scopes");
        }

        if (decision.ExpireTime <= time.GetUtcNow())
        {
            throw VibeError.InvalidField("expireTime", "is over", "consent.expireTime");
        }

        var before = await grants.FindAsync(session.Did, client.Did, cancellationToken);
        var accepted = asked.Where(name => ticked.Contains(name) || name == ScopeNames.OpenId || (before?.Scopes.Contains(name) ?? false)).ToArray();
        if (asked.FirstOrDefault(name => ScopeNames.IsRequired(client, name) && !accepted.Contains(name)) is { } missing)
        {
            throw VibeError.InvalidField("scopes", $"lacks {missing}, which the app cannot do without: allow it, or refuse the app", "consent.required");
        }

        if (accepted.Length == 0)
        {
            return null;
        }

        await grants.AllowAsync(session.Did, client.Did, accepted, decision.ExpireTime, cancellationToken);
        await audit.WriteAsync(
            new AuditEvent
            {
                Type = "grant.allow", Did = session.Did, App = client.Did, Actor = session.Did,
                Details = new Dictionary<string, string> { ["scopes"] = string.Join(' ', accepted) },
            },
            cancellationToken);
        return accepted;
    }
}
