using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;

namespace Vibe.Rpc.Json;

/// <summary>The messages that every server knows.</summary>
internal static class WellKnown
{
    public static readonly FileDescriptor[] Files =
    [
        AnyReflection.Descriptor, DurationReflection.Descriptor, EmptyReflection.Descriptor, FieldMaskReflection.Descriptor,
        StructReflection.Descriptor, TimestampReflection.Descriptor, WrappersReflection.Descriptor,
        StatusReflection.Descriptor, ErrorDetailsReflection.Descriptor,
    ];
}
