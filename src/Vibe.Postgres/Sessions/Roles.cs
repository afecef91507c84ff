namespace Vibe.Postgres.Sessions;

/// <summary>The database roles. None is a superuser and none bypasses row-level security.</summary>
public static class Roles
{
    /// <summary>Owns the schema and runs migrations and background work.</summary>
    public const string Owner = "vibe_owner";

    /// <summary>Owns views and functions that must themselves be under row-level security.</summary>
    public const string View = "vibe_view";

    /// <summary>What requests run as.</summary>
    public const string App = "vibe_app";
}
