//go:build kubelet_without_context

// Up to 1.33.

package main

import (
	"context"

	"github.com/spf13/cobra"
	"k8s.io/kubernetes/cmd/kubelet/app"
)

func kubeletCommand(context.Context) *cobra.Command { return app.NewKubeletCommand() }
