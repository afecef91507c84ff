using System.Globalization;

namespace Vibe.Postgres.Embedded;

/// <summary>The operating-system user PostgreSQL runs as. It refuses to run as root, so root hands it to an unprivileged user.</summary>
/// <param name="Name">Login name.</param>
/// <param name="Id">User id.</param>
/// <param name="GroupId">Primary group id.</param>
/// <param name="Switched">Whether this differs from the user of this process.</param>
internal sealed record ServerUser(string Name, uint Id, uint GroupId, bool Switched)
{
    /// <summary>This process's user, or for root <c>postgres</c> or else <c>nobody</c>.</summary>
    public static ServerUser Choose()
    {
        var self = PosixCalls.GetEffectiveUser();
        if (self != 0)
        {
            return new(Environment.UserName, self, 0, Switched: false);
        }
        return Find("postgres") ?? Find("nobody")
            ?? throw new EmbeddedClusterException("PostgreSQL does not run as root and this machine has neither a user postgres nor nobody: create one, or run Vibe as an ordinary user.");
    }

    /// <summary>Command words that run what follows as this user. Empty when nothing changes.</summary>
    public IEnumerable<string> SwitchCommand => Switched
        ? ["setpriv", "--reuid", Text(Id), "--regid", Text(GroupId), "--clear-groups"]
        : [];

    private static ServerUser? Find(string name) => File.Exists("/etc/passwd")
        ? File.ReadLines("/etc/passwd")
            .Select(static line => line.Split(':'))
            .Where(fields => fields.Length >= 4 && fields[0] == name)
            .Select(fields => new ServerUser(
                name, uint.Parse(fields[2], CultureInfo.InvariantCulture), uint.Parse(fields[3], CultureInfo.InvariantCulture), Switched: true))
            .FirstOrDefault()
        : null;

    private static string Text(uint id) => id.ToString(CultureInfo.InvariantCulture);
}
