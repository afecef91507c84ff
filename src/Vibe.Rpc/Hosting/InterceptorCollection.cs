using System.Collections.ObjectModel;
using System.Diagnostics.CodeAnalysis;
using Grpc.Core.Interceptors;

// The official package's namespace: code written for it compiles unchanged.
namespace Grpc.AspNetCore.Server;

/// <summary>An ordered list of interceptors; the first is the outermost.</summary>
public sealed class InterceptorCollection : Collection<InterceptorRegistration>
{
    /// <summary>Adds an interceptor.</summary>
    /// <typeparam name="TInterceptor">
    /// Its class. When it is registered as a service, that registration decides its lifetime; otherwise one is made per call from
    /// the call's services and <paramref name="args"/>, and disposed after it.
    /// </typeparam>
    /// <param name="args">Constructor arguments that are not services.</param>
    public void Add<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TInterceptor>(params object[] args)
        where TInterceptor : Interceptor => Add(new InterceptorRegistration(typeof(TInterceptor), args));

    internal void AddRange(IEnumerable<InterceptorRegistration> registrations)
    {
        foreach (var registration in registrations)
        {
            Add(registration);
        }
    }
}

/// <summary>An interceptor's class and its constructor arguments.</summary>
public sealed class InterceptorRegistration
{
    internal InterceptorRegistration(Type type, object[] arguments)
    {
        Type = type;
        Arguments = arguments;
    }

    /// <summary>The interceptor's class.</summary>
    public Type Type { get; }

    /// <summary>Constructor arguments that are not services.</summary>
    public IReadOnlyList<object> Arguments { get; }
}
