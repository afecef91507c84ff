using Vibe.Apps.V1;

namespace Vibe.Server.Auth.OAuth;

/// <summary>An app as the provider sees it: its <c>client_id</c> is its DID.</summary>
internal sealed record Client
{
    /// <summary>The app's DID.</summary>
    public required string Did { get; init; }

    /// <summary>The app's name: unique, and part of no decision.</summary>
    public required string Name { get; init; }

    /// <summary>What it says of itself.</summary>
    public required AppManifest Manifest { get; init; }

    /// <summary>Whether an operator has checked who is behind it.</summary>
    public required bool Verified { get; init; }

    /// <summary>Whether it was stopped: nothing is issued to it.</summary>
    public required bool IsDisabled { get; init; }

    /// <summary>When it was made.</summary>
    public required DateTimeOffset CreateTime { get; init; }

    /// <summary>The privileges an operator has approved.</summary>
    public required IReadOnlyList<string> ApprovedPrivileges { get; init; }

    /// <summary>Whether it keeps a secret and must prove who it is.</summary>
    public bool IsConfidential => Manifest.ClientType == ClientType.Confidential;

    /// <summary>What its ID tokens are signed with.</summary>
    public string IdTokenAlgorithm => Manifest.IdTokenSignedResponseAlg == "RS256" ? "RS256" : "ES256";

    /// <summary>Where it lives, as people see it: the host of its homepage, or of its first origin or redirect; its name when it says none.</summary>
    public string Host
    {
        get
        {
            foreach (var address in (string[])[Manifest.HomepageUri, .. Manifest.Origins, .. Manifest.RedirectUris])
            {
                if (Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.Host.Length > 0)
                {
                    return uri.IsDefaultPort ? uri.IdnHost : $"{uri.IdnHost}:{uri.Port}";
                }
            }

            return Name;
        }
    }
}
