using Vibe.Postgres.Embedded;

namespace Vibe.Postgres.Tests.Embedded;

public sealed class RefusalTests : ClusterTestBase
{
    [Fact]
    public async Task A_server_that_is_too_old_is_refused()
    {
        var message = await RefusalAsync(new() { DataDirectory = DataDirectory, BinDirectory = FakeServer("13.4") });

        Assert.StartsWith("Vibe needs PostgreSQL 15 or later (found 13.4 in ", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bin_directory_without_a_server_is_refused()
    {
        var message = await RefusalAsync(new() { DataDirectory = DataDirectory, BinDirectory = "/nonexistent" });

        Assert.Equal(
            "VIBE_POSTGRES_BIN names /nonexistent, which has no working postgres and initdb: point it at the bin directory of PostgreSQL 15 or later.", message);
    }

    [Fact]
    public async Task Data_of_another_major_version_is_refused()
    {
        Directory.CreateDirectory(Path.Combine(DataDirectory, "cluster"));
        await File.WriteAllTextAsync(Path.Combine(DataDirectory, "cluster", "PG_VERSION"), "12\n", Timeout);
        var message = await RefusalAsync(Options);

        Assert.StartsWith($"The data in {DataDirectory} was written by PostgreSQL 12 (", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_directory_with_other_files_in_the_place_of_the_cluster_is_refused()
    {
        Directory.CreateDirectory(Path.Combine(DataDirectory, "cluster"));
        await File.WriteAllTextAsync(Path.Combine(DataDirectory, "cluster", "thesis.txt"), "…", Timeout);

        Assert.Contains("holds files but no PostgreSQL data", await RefusalAsync(Options), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_in_the_place_of_the_directory_is_refused()
    {
        await File.WriteAllTextAsync(DataDirectory, "", Timeout);
        try
        {
            Assert.Contains(DataDirectory, await RefusalAsync(Options), StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(DataDirectory);
        }
    }

    [Fact]
    public async Task A_directory_closed_to_the_user_in_question_is_refused_by_name()
    {
        // For root the question is whether the server's user gets there; for others whether they may write there themselves.
        var root = PosixCalls.GetEffectiveUser() == 0;
        Directory.CreateDirectory(DataDirectory, root ? UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute : UnixFileMode.UserRead);
        var inner = Path.Combine(DataDirectory, "data");
        var message = await RefusalAsync(new() { DataDirectory = inner, BinDirectory = null });
        File.SetUnixFileMode(DataDirectory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

        Assert.Contains(DataDirectory, message, StringComparison.Ordinal);
        Assert.Contains(root ? "is closed to others: choose a data directory elsewhere" : "choose another data directory", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("FATAL:  could not write to file \"x\": No space left on device", "is full: free some space")]
    [InlineData("initdb: error: could not create directory \"x\": Read-only file system", "is read-only: make it writable")]
    [InlineData("FATAL:  could not map anonymous shared memory: Cannot allocate memory", "not enough memory")]
    [InlineData("initdb: error: invalid locale name \"C.UTF-8\"", "C.UTF-8 locale")]
    [InlineData("x\nPANIC:  could not locate a valid checkpoint record\n", "damaged (could not locate a valid checkpoint record): restore a backup")]
    [InlineData("2026 [1] FATAL:  unrecognized thing\n", "failed with \"unrecognized thing\": see ")]
    [InlineData("", "PostgreSQL failed: see ")]
    public void What_the_server_says_becomes_one_sentence(string output, string expected)
    {
        var message = StartFailure.From("PostgreSQL", output, new ClusterDirectory(DataDirectory)).Message;

        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.EndsWith(".", message.Replace("postgres.log.", ".", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    private async Task<string> RefusalAsync(EmbeddedClusterOptions options) =>
        (await Assert.ThrowsAsync<EmbeddedClusterException>(() => StartAsync(options))).Message;

    private string FakeServer(string version)
    {
        var bin = Path.Combine(DataDirectory, "bin");
        Directory.CreateDirectory(bin);
        foreach (var program in (string[])["postgres", "initdb"])
        {
            var path = Path.Combine(bin, program);
            File.WriteAllText(path, $"#!/bin/sh\necho '{program} (PostgreSQL) {version} (Debian)'\n");
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }
        return bin;
    }
}
