using Vibe.Server.Commands;

namespace Vibe.Server.Tests.Commands;

/// <summary>How an import remembers where it was.</summary>
public sealed class ImportCheckpointTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("vibe-import-");
    private readonly ImportPlan _plan;

    public ImportCheckpointTests()
    {
        _plan = new ImportPlan { File = Path.Combine(_folder.FullName, "rows.json"), Collection = "rows" };
        File.WriteAllText(_plan.File, "[]");
    }

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void The_next_run_goes_on_where_the_last_one_was()
    {
        Assert.True(ImportCheckpoint.Open(_plan).TrySave(500));

        Assert.Equal(500, ImportCheckpoint.Open(_plan).RowsDone);
    }

    [Fact]
    public void A_changed_file_or_plan_starts_again()
    {
        Assert.True(ImportCheckpoint.Open(_plan).TrySave(500));

        Assert.Equal(0, ImportCheckpoint.Open(_plan with { Collection = "others" }).RowsDone);
        File.WriteAllText(_plan.File, "[{}]");
        Assert.Equal(0, ImportCheckpoint.Open(_plan).RowsDone);
    }

    [Fact]
    public void A_complete_import_leaves_nothing()
    {
        var checkpoint = ImportCheckpoint.Open(_plan);
        checkpoint.TrySave(500);
        checkpoint.Delete();

        Assert.Equal(_plan.File, Assert.Single(_folder.GetFileSystemInfos()).FullName);
    }

    [Fact]
    public void A_folder_without_room_for_the_note_does_not_end_the_import()
    {
        // Directories in the note's way: root too, for whom no folder is read-only, cannot write there.
        _folder.CreateSubdirectory("rows.json.vibe-import.new");
        _folder.CreateSubdirectory("rows.json.vibe-import");
        var checkpoint = ImportCheckpoint.Open(_plan);

        Assert.False(checkpoint.TrySave(500));
        Assert.Equal(500, checkpoint.RowsDone);
        checkpoint.Delete();
        Assert.Equal(0, ImportCheckpoint.Open(_plan).RowsDone);
    }
}
