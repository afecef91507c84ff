using System.Collections.Immutable;
using Vibe.Apps.V1;
using Vibe.Server.Kernel;

namespace Vibe.Server.Apps.Manifests;

/// <summary>The <c>update_mask</c> of an app: <c>manifest</c> or one of its fields, in either spelling.</summary>
internal static class ManifestMask
{
    private const string Whole = "manifest";

    /// <summary>The manifest with the named parts of another one.</summary>
    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT: there is no such part.</exception>
    public static AppManifest Apply(AppManifest before, AppManifest given, IList<string> mask)
    {
        var paths = mask.SelectMany(static part => part.Split(',', StringSplitOptions.TrimEntries)).ToImmutableArray();
        if (paths.IsEmpty || paths.Contains(Whole))
        {
            paths = [Whole];
        }

        var after = before.Clone();
        foreach (var path in paths)
        {
            if (path == Whole)
            {
                return given.Clone();
            }

            var name = path.StartsWith("manifest.", StringComparison.Ordinal) ? path["manifest.".Length..] : null;
            var field = AppManifest.Descriptor.Fields.InFieldNumberOrder().FirstOrDefault(field => field.Name == name || field.JsonName == name)
                ?? throw VibeError.InvalidField("updateMask", "names `manifest`, or fields of it: manifest.origins", "app.mask");
            field.Accessor.Clear(after);
            var one = new AppManifest();
            one.MergeFrom(given);
            foreach (var other in AppManifest.Descriptor.Fields.InFieldNumberOrder().Where(other => other.FieldNumber != field.FieldNumber))
            {
                other.Accessor.Clear(one);
            }

            after.MergeFrom(one);
        }

        return after;
    }
}
