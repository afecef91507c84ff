using System.Text.Json;
using Google.Protobuf.WellKnownTypes;
using Vibe.Auth.V1;
using Vibe.Server.Auth.OAuth;

namespace Vibe.Server.Auth.Accounts;

/// <summary>Rows to messages of the account API.</summary>
internal static class AccountMapping
{
    public static Account ToProto(this AccountRow row) => new()
    {
        Did = row.Did,
        Handle = row.Handle,
        DisplayName = row.DisplayName,
        Locale = row.Locale,
        HasPassword = row.HasPassword,
        RecoveryCodesLeft = row.RecoveryCodes,
        CreateTime = Timestamp.FromDateTimeOffset(row.CreateTime),
        UpdateTime = Timestamp.FromDateTimeOffset(row.UpdateTime),
    };

    public static AccountSession ToProto(this SessionRow row, Guid? current) => new()
    {
        Id = row.Id.ToString(),
        Description = row.UserAgent,
        Network = row.Network,
        Methods = { row.Methods },
        AuthTime = Timestamp.FromDateTimeOffset(row.AuthTime),
        LastUseTime = Timestamp.FromDateTimeOffset(row.LastUseTime),
        ExpireTime = Timestamp.FromDateTimeOffset(row.ExpireTime),
        Current = row.Id == current,
    };

    public static Passkey ToProto(this PasskeyRow row) => new()
    {
        Id = row.Id.ToString(),
        Name = row.Name,
        Synced = row.IsSynced,
        CreateTime = Timestamp.FromDateTimeOffset(row.CreateTime),
        ActiveTime = Timestamp.FromDateTimeOffset(row.ActiveTime),
        LastUseTime = row.LastUseTime is { } time ? Timestamp.FromDateTimeOffset(time) : null,
    };

    public static EmailAddress ToProto(this EmailAddressRow row) =>
        new() { Address = row.Address, VerifyTime = Timestamp.FromDateTimeOffset(row.VerifyTime) };

    /// <summary>A grant in the words of the app; an app that is gone has none left.</summary>
    public static AppGrant ToProto(this Grant grant, Client? client)
    {
        var known = client?.Manifest.Scopes.ToDictionary(static scope => scope.Name, StringComparer.Ordinal) ?? [];
        return new()
        {
            App = grant.App,
            DisplayName = client?.Manifest.DisplayName is { Length: > 0 } name ? name : client?.Name ?? "",
            Host = client?.Host ?? "",
            Verified = client?.Verified ?? false,
            Scopes =
            {
                grant.Scopes.Select(scope => new AppGrantScope
                {
                    Name = scope,
                    Descriptions = { known.TryGetValue(scope, out var said) ? said.Descriptions : [] },
                }),
            },
            CreateTime = Timestamp.FromDateTimeOffset(grant.CreateTime),
            LastUseTime = Timestamp.FromDateTimeOffset(grant.LastUseTime),
            ExpireTime = grant.ExpireTime is { } time ? Timestamp.FromDateTimeOffset(time) : null,
        };
    }

    public static AccountEvent ToProto(this StoredAuditEvent row) => new()
    {
        Id = row.Id.ToString(),
        Type = row.Type,
        App = row.App,
        Network = row.Network,
        Details = { JsonSerializer.Deserialize<Dictionary<string, string>>(row.Details.Span) },
        CreateTime = Timestamp.FromDateTimeOffset(row.CreateTime),
    };
}
