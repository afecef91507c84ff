using System.Reflection;
using Google.Protobuf;

namespace Vibe.Rpc.Binding;

/// <summary>Makes empty messages of a generated class without reflection per call.</summary>
internal static class MessageFactory
{
    private static readonly MethodInfo OpenOf = typeof(MessageFactory).GetMethod(nameof(Of), BindingFlags.NonPublic | BindingFlags.Static)!;

    public static Func<IMessage> For(Type message) => (Func<IMessage>)OpenOf.MakeGenericMethod(message).Invoke(null, null)!;

    private static Func<IMessage> Of<T>()
        where T : IMessage, new() => static () => new T();
}
