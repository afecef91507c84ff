using Google.Protobuf.WellKnownTypes;
using Vibe.Documents.V1;
using Vibe.Server.Kernel;

namespace Vibe.Server.Documents;

/// <summary>Stored rows to messages.</summary>
internal static class DocumentMapping
{
    /// <summary>The document as the caller may see it: access rules are the owner's to know.</summary>
    public static Document ToProto(this DocumentRow row, Caller caller) => row.ToProto(caller, ReadMask.All);

    /// <summary>The same, cut down to what was asked for.</summary>
    public static Document ToProto(this DocumentRow row, Caller caller, ReadMask mask)
    {
        var document = new Document
        {
            Id = row.Id.ToString(),
            Collection = row.Collection,
            Owner = row.Owner,
            Revision = row.Revision,
            Etag = DocumentEtag.Of(row.Revision),
            DeleteTime = row.DeleteTime is { } deleteTime ? Timestamp.FromDateTimeOffset(deleteTime) : null,
        };
        if (mask.Has("app"))
        {
            document.App = row.App;
        }

        if (row.Key is not null && mask.Has("key"))
        {
            document.Key = row.Key;
        }

        if (row.DeleteTime is null && mask.Has("data"))
        {
            document.Data = mask.Body(row.Data);
        }

        if (row.Owner == caller.Did && mask.Has("acl"))
        {
            document.Acl = AccessRules.FromJson(row.Acl);
        }

        if (mask.Has("edges"))
        {
            document.Edges.Add(DocumentEdges.FromJson(row.Edges));
        }

        if (mask.Has("create_time"))
        {
            document.CreateTime = Timestamp.FromDateTimeOffset(row.CreateTime);
        }

        if (mask.Has("update_time"))
        {
            document.UpdateTime = Timestamp.FromDateTimeOffset(row.UpdateTime);
        }

        return document;
    }
}
